/**
 * script-login's side of exec mode, by what was measured on real servers: userdb fields as variables, and back. Shares no code with src/.
 */
import type { Field, Version } from './dovecot.js';

/** A program's environment, as texts. */
export type Variables = ReadonlyMap<string, string>;

/** What script-login gives to its program: keys in capitals. 2.3 has no variable for an empty value, nor its key. */
export function variablesOf(user: string, fields: readonly Field[], remoteIp: string, version: Version): Variables {
  const variables = new Map([
    ['LOCAL_IP', ''],
    ['IP', remoteIp],
    ['USER', user],
  ]);
  let keys = '';
  for (const { key, value } of fields) {
    if (version === '2.3' && value === '') continue;
    variables.set(key.toUpperCase(), value);
    keys += `${key.toUpperCase()} `;
  }
  return variables.set('USERDB_KEYS', keys);
}

/** What script-login sends back when the last program has run it: each key that is named, in small letters. */
export function fieldsOf(variables: Variables): readonly Field[] {
  const keys = (variables.get('USERDB_KEYS') ?? '').split(' ').filter((key) => key !== '');
  return keys.flatMap((key) => {
    const value = variables.get(key.toUpperCase());
    return value === undefined ? [] : [{ key: key.toLowerCase(), value }];
  });
}

/** What the launcher makes of a plan; `undefined` where it ends without running the program. */
export function carryOut(plan: string, variables: Variables): Variables | undefined {
  const [separator = ''] = plan.split('\n', 1);
  const [status, , , , keys = '', ...rest] = plan.slice(separator.length + 1).split(`\n${separator}\n`);
  if (status !== '0') return undefined;
  if (keys === 'unchanged') return variables;
  const [perl, addition = ''] = rest;
  if (perl !== '') throw new Error(`a plan with Perl: ${plan}`);
  const changed = new Map(variables).set('ACL_GROUPS', (variables.get('ACL_GROUPS') ?? '') + addition);
  const kept = keys.startsWith('=') ? keys.slice(1) : (variables.get('USERDB_KEYS') ?? '');
  const has = kept
    .toUpperCase()
    .split(' ')
    .some((key) => key === 'ACL_GROUPS');
  return changed.set('USERDB_KEYS', has ? kept : `${kept} acl_groups`);
}
