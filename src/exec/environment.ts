import { ACL_GROUPS_VARIABLE, SYSTEM_GROUPS_USER_FIELD } from '../dovecot/fields.js';
import type { LoginFacts } from '../login/request.js';
import { UsageError } from '../support/errors.js';

/**
 * The login that script-login describes by its environment: USER, IP, LOCAL_IP, and the fields that USERDB_KEYS names.
 * @throws UsageError without USER
 */
export function factsFromEnvironment(env: NodeJS.ProcessEnv): LoginFacts {
  const { USER: name, IP: remoteIp, LOCAL_IP: localIp, USERDB_KEYS: keys = '' } = env;
  if (name === undefined || name === '') {
    throw new UsageError(
      "USER is not set; exec mode runs as an argument of Dovecot's script-login, which sets it (to try it by hand: USER=name acl-groups env)",
    );
  }
  const fields = new Map<string, string>();
  for (const key of keys.split(' ')) {
    const value = env[key.toUpperCase()];
    if (key !== '' && value !== undefined) fields.set(key.toLowerCase(), value);
  }
  // The variables count without their key as well: script-login passes the last one on that a program before this one has set.
  for (const key of [ACL_GROUPS_VARIABLE, SYSTEM_GROUPS_USER_FIELD.toUpperCase()]) {
    const value = env[key];
    if (value !== undefined) fields.set(key.toLowerCase(), value);
  }
  return { name, localIp, remoteIp, fields };
}

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

/** What the launcher itself sets or takes away for Node.js alone, and what the plan sets. SHLVL: a shell that counts it up counts it down at exec. */
const OWN = /^(?:NODE_.*|MALLOC_ARENA_MAX|UV_THREADPOOL_SIZE|ACL_GROUPS_LOG_DESCRIPTOR|ACL_GROUPS|USERDB_KEYS|SHLVL|_)$/;

/**
 * What a shell did to its environment, and how it is undone. dash and busybox drop variables whose names they couldn't assign to, such as
 * the userdb's NAMESPACE/INBOX/PREFIX; every shell has some that it sets itself, whatever they were.
 */
export function repairEnvironment(
  original: Environment,
  now: NodeJS.ProcessEnv,
): { readonly unset: string[]; readonly assignments: Buffer[] } {
  const known = new Map(Object.entries(now).map(([name, value = '']) => [bytesOf(name), value]));
  const unset = [...known.keys()].filter((name) => /^[A-Za-z][A-Za-z0-9_]*$/.test(name) && !OWN.test(name) && !original.has(name));
  const assignments = [...original]
    .filter(([name, value]) => !OWN.test(name) && known.get(name) !== textOf(value))
    .map(([name, value]) => Buffer.from(`${name}=${value}`, 'latin1'));
  return { unset, assignments };
}

/** A text's UTF-8, one character a byte. */
function bytesOf(text: string): string {
  return ASCII.test(text) ? text : Buffer.from(text).toString('latin1');
}

function textOf(bytes: string): string {
  return ASCII.test(bytes) ? bytes : Buffer.from(bytes, 'latin1').toString();
}

const ASCII = /^[\0-\x7f]*$/;
