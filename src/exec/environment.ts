import { ACL_GROUPS_VARIABLE, type Field, isOtherSpelling, SYSTEM_GROUPS_USER_FIELD } from '../dovecot/fields.js';
import type { LoginFacts } from '../login/request.js';
import { UsageError } from '../support/errors.js';

/** An environment by variable. Names and values are bytes, one character each: they need not be UTF-8. */
export type Environment = ReadonlyMap<string, string>;

/** Reads the environment of a process as /proc/PID/environ has it: what it was started with. */
export function parseEnvironment(bytes: string): Environment {
  const variables = new Map<string, string>();
  for (const variable of bytes.split('\0')) {
    const equals = variable.indexOf('=', 1);
    if (equals < 0) continue;
    const name = variable.slice(0, equals);
    // getenv(3) finds the first one of a name.
    if (!variables.has(name)) variables.set(name, variable.slice(equals + 1));
  }
  return variables;
}

/** A variable's value as text. Bytes that aren't UTF-8 are U+FFFD. */
export function textOf(environment: Environment, name: string): string | undefined {
  const bytes = environment.get(name);
  return bytes === undefined || ASCII.test(bytes) ? bytes : Buffer.from(bytes, 'latin1').toString();
}

const ASCII = /^[\0-\x7f]*$/;

/**
 * The login that script-login describes by its environment: USER, IP, LOCAL_IP, and the fields that USERDB_KEYS names.
 * @throws UsageError without USER
 */
export function factsFromEnvironment(environment: Environment): LoginFacts {
  const get = (name: string): string | undefined => textOf(environment, name);
  const name = get('USER');
  if (name === undefined || name === '') {
    throw new UsageError(
      "USER is not set; exec mode runs as an argument of Dovecot's script-login, which sets it (to try it by hand: USER=name acl-groups env)",
    );
  }
  const fields = new Map<string, string>();
  const otherSpellings: Field[] = [];
  for (const variable of keysOf(environment)) {
    const value = get(variable.toUpperCase());
    if (value === undefined) continue;
    // script-login itself sends keys back in lower case, so that no other case of acl_groups/NAME ever arrives.
    const key = variable.toLowerCase();
    fields.set(key, value);
    if (isOtherSpelling(key)) otherSpellings.push({ key, value });
  }
  // The variables count without their key as well: script-login passes the last one on that a program before this one has set.
  for (const key of [ACL_GROUPS_VARIABLE, SYSTEM_GROUPS_USER_FIELD.toUpperCase()]) {
    const value = get(key);
    if (value !== undefined) fields.set(key.toLowerCase(), value);
  }
  return {
    name,
    localIp: get('LOCAL_IP'),
    remoteIp: get('IP'),
    fields,
    otherSpellings: otherSpellings.length > 0 ? otherSpellings : undefined,
  };
}

/**
 * USERDB_KEYS without those that give groups in another spelling than `acl_groups`, for a program that is given one list of all; bytes.
 * `undefined` where there is none. The variables stay: without their keys script-login sends none of them back, where 2.3 would have taken
 * plugin/acl_groups for the whole list.
 */
export function keysWithoutSpellings(environment: Environment): Buffer | undefined {
  const keys = (environment.get('USERDB_KEYS') ?? '').split(' ');
  const kept = keys.filter((key) => !isOtherSpelling(key.toLowerCase()));
  return kept.length === keys.length ? undefined : Buffer.from(kept.join(' '), 'latin1');
}

/** The keys of the userdb's fields, as USERDB_KEYS has them. */
export function keysOf(environment: Environment): readonly string[] {
  return (textOf(environment, 'USERDB_KEYS') ?? '').split(' ').filter((key) => key !== '');
}
