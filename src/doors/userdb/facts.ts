import { isUtf8 } from 'node:buffer';
import { ACL_GROUPS_FIELD, type Field, isOtherSpelling, SYSTEM_GROUPS_USER_FIELD } from '../../dovecot/fields.js';
import type { LoginFacts } from '../../login/request.js';
import { UsageError } from '../../support/errors.js';
import { type Element, elements } from './message.js';

/** What a filter asks for. */
export type Question =
  /** A login, whose facts the filter states. */
  | { readonly kind: 'login'; readonly user: string; readonly facts: () => LoginFacts }
  /** Entries of a class: how Dovecot lists users. There are none to list. */
  | { readonly kind: 'class' }
  | { readonly kind: 'error'; readonly problem: string };

/** Tags of filters (RFC 4511, 4.5.1.7). */
const AND = 0xa0;
const EQUALITY = 0xa3;
const PRESENT = 0x87;

const EXPECTED =
  'expected (uid=%{user}), alone or in an AND with (account=), (aclGroups=), (clientIp=), (localIp=), (service=), (masterUser=) and (field=name=value)';

/** The facts that a filter can state, by attribute in lower case, and the userdb field that each is for providers. */
const FIELD_OF: ReadonlyMap<string, string | undefined> = new Map([
  ['uid', undefined],
  ['account', SYSTEM_GROUPS_USER_FIELD],
  ['aclgroups', ACL_GROUPS_FIELD],
  ['clientip', undefined],
  ['localip', undefined],
  ['service', 'service'],
  ['masteruser', 'master_user'],
]);

/** Reads a filter. A fact without a value counts as not stated: that is how Dovecot writes a variable that it has no value for. */
export function readFilter(filter: Element): Question {
  if (isClassOnly(filter)) return { kind: 'class' };
  const parts = filter.tag === AND ? elements(filter.content) : [filter];
  const stated = new Map<string, Buffer>();
  const fields: Buffer[] = [];
  for (const { tag, content } of parts) {
    const [attribute, value, ...more] = tag === EQUALITY ? elements(content) : [];
    if (attribute === undefined || value === undefined || more.length > 0)
      return { kind: 'error', problem: `${EXPECTED}; found something other than equality` };
    const name = attribute.content.toString('latin1').toLowerCase();
    if (name === 'field') fields.push(value.content);
    else if (!FIELD_OF.has(name)) return { kind: 'error', problem: `${EXPECTED}; found an attribute that is none of these` };
    else if (stated.has(name)) return { kind: 'error', problem: `${EXPECTED}; found ${name} twice` };
    else stated.set(name, value.content);
  }
  const user = stated.get('uid')?.toString() ?? '';
  if (user === '') return { kind: 'error', problem: `${EXPECTED}; found no value for uid` };
  return { kind: 'login', user, facts: () => factsOf(stated, fields) };
}

/** `(objectClass=…)`, whatever the class. */
function isClassOnly({ tag, content }: Element): boolean {
  const name = tag === PRESENT ? content : tag === EQUALITY ? elements(content)[0]?.content : undefined;
  return name?.toString('latin1').toLowerCase() === 'objectclass';
}

function factsOf(stated: ReadonlyMap<string, Buffer>, given: readonly Buffer[]): LoginFacts {
  const text = (name: string): string => {
    const bytes = stated.get(name);
    return bytes === undefined ? '' : decode(name, bytes);
  };
  const fields = new Map<string, string>();
  const otherSpellings: Field[] = [];
  for (const bytes of given) {
    const field = decode('field', bytes);
    const equals = field.indexOf('=');
    if (equals <= 0) continue;
    const [key, value] = [field.slice(0, equals), field.slice(equals + 1)];
    fields.set(key.toLowerCase(), value);
    if (isOtherSpelling(key) && value !== '') otherSpellings.push({ key, value });
  }
  for (const [attribute, field] of FIELD_OF) {
    const value = field === undefined ? '' : text(attribute);
    if (field !== undefined && value !== '') fields.set(field, value);
  }
  return {
    name: text('uid'),
    localIp: text('localip'),
    remoteIp: text('clientip'),
    fields,
    otherSpellings: otherSpellings.length > 0 ? otherSpellings : undefined,
  };
}

/** @throws UsageError where a value isn't UTF-8: two such values could be taken for each other */
function decode(name: string, bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new UsageError(`${name === 'uid' ? 'the user name' : `the value of ${name}`} is not valid UTF-8`);
  return bytes.toString('utf8');
}
