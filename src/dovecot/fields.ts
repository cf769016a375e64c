import {
  appendAclGroups,
  type DovecotVersion,
  formatAclGroups,
  isRefused,
  parseAclGroups,
  parseSectionName,
  readGivenList,
} from './notation.js';

/** The userdb field that holds the groups, and the variable that script-login makes of it. */
export const ACL_GROUPS_FIELD = 'acl_groups';
export const ACL_GROUPS_VARIABLE = 'ACL_GROUPS';

/** The userdb field that names the UNIX account of a login (userdb passwd sets it). */
export const SYSTEM_GROUPS_USER_FIELD = 'system_groups_user';

/** The field that names the master user who logs in as another one (auth_master_user_separator). */
export const MASTER_USER_FIELD = 'master_user';

/**
 * The fields that name whom the ACL plugin checks rights for, the one that goes first in front (each seen on 2.3.19 and 2.4.1). On 2.4
 * acl_user is `%{master_user}` by default, which mail processes take from a field `master`, while auth sends `master_user`.
 */
export const ACL_USER_FIELDS: Readonly<Record<DovecotVersion, readonly string[]>> = {
  '2.3': ['plugin/acl_user', 'acl_user'],
  '2.4': ['acl_user', 'master'],
};

/** A userdb field, with its key as Dovecot has it. */
export interface Field {
  readonly key: string;
  readonly value: string;
}

/** `acl_groups` and what else gives groups to some version, or names one of a list's elements; what is appended by `acl_groups+` isn't among them. */
const SPELLING = /^(?:set\/|plugin\/)?acl_groups(?:\/.*)?$/s;

/**
 * Whether a field gives groups in another spelling than `acl_groups`. Next to our `acl_groups` it would shadow that or be shadowed, by
 * version (each seen on real servers, but for `set/`, which is in the source behind 2.4.4):
 *
 * | field | 2.3 | 2.4 |
 * |---|---|---|
 * | `plugin/acl_groups=LIST` | goes before `acl_groups`, wherever it stands | means nothing |
 * | `acl_groups/NAME=yes` | means nothing | counts unless there is a list |
 * | `set/acl_groups…` | means nothing | the same as without `set/` |
 */
export function isOtherSpelling(key: string): boolean {
  return key !== ACL_GROUPS_FIELD && SPELLING.test(key);
}

/**
 * One list of all that a userdb gave in the spellings that this version knows: the value of `acl_groups` as it came, to the byte, and the
 * groups behind it that others name, each once. A list that Dovecot refuses ends it, as it ends the login: what follows could close its
 * quotes, and make other groups of both.
 */
export function joinSpellings(value: string, others: readonly Field[], version: DovecotVersion): string {
  const known = new Set(parseAclGroups(value, version));
  let joined = value;
  let last = value;
  for (const field of others) {
    // The last piece alone: what comes before it is in order, and reading all of it again for each field takes the square of their number.
    if (isRefused(last, version)) break;
    last = version === '2.3' ? given23(field, known) : given24(field, known);
    joined = appendAclGroups(joined, last, version);
  }
  return joined;
}

function given23({ key, value }: Field, known: Set<string>): string {
  return key === 'plugin/acl_groups' ? readGivenList(value, '2.3', known) : '';
}

function given24({ key, value }: Field, known: Set<string>): string {
  const setting = key.replace(/^set\//, '');
  if (setting === ACL_GROUPS_FIELD) return readGivenList(value, '2.4', known);
  if (!setting.startsWith(`${ACL_GROUPS_FIELD}/`) || value !== 'yes') return '';
  // settings_parse_boollist takes what follows the last slash.
  const name = parseSectionName(setting.slice(setting.lastIndexOf('/') + 1));
  if (known.has(name)) return '';
  known.add(name);
  return formatAclGroups([name], '2.4').value;
}
