import { ACL_GROUPS_FIELD, ACL_USER_FIELDS, type Field, MASTER_USER_FIELD, SYSTEM_GROUPS_USER_FIELD } from '../dovecot/fields.js';
import type { DovecotVersion } from '../dovecot/notation.js';
import type { LoginUser } from '../providers/provider.js';
import { UsageError } from '../support/errors.js';
import { hasControlCharacters, isUnicode } from '../support/text.js';

/** A login as it reaches a post-login program or service, before anything is looked up. */
export interface LoginRequest {
  readonly user: LoginUser;
  /** The value of `acl_groups` that the userdb had already given, in Dovecot's own notation. */
  readonly existing: string;
  /** Groups that it gave in other spellings (isOtherSpelling), which may count or not, by version. */
  readonly others: readonly Field[];
}

/** What script-login tells by the environment (util/script-login.c), or by the protocol's fields. */
export interface LoginFacts {
  readonly name: string;
  readonly localIp?: string | undefined;
  readonly remoteIp?: string | undefined;
  /** Keys in lower case. `acl_groups` is only what Dovecot takes for it: with its key in lower case. */
  readonly fields: ReadonlyMap<string, string>;
  /** Those of the fields that give groups in another spelling than `acl_groups` (isOtherSpelling), with their keys as they came. */
  readonly otherSpellings?: readonly Field[] | undefined;
}

/** Whose groups a login gets: those of the user, or those of the master user who logs in as him. */
export type Subject = 'user' | 'master';

/**
 * Whose groups a login gets by the option `master_user`. `auto`: of the one as whom Dovecot checks ACLs, whom fields of the userdb may name
 * ({@link ACL_USER_FIELDS}); else on 2.3 the master user, and on 2.4, whose mail processes never learn of him, the user.
 */
export async function subjectOf(
  { fields }: LoginFacts,
  option: 'auto' | Subject,
  findVersion: () => Promise<{ readonly version: DovecotVersion } | undefined>,
): Promise<Subject> {
  if (option !== 'auto') return option;
  const version = (await findVersion())?.version ?? '2.4';
  const aclUser = ACL_USER_FIELDS[version].map((field) => fields.get(field)).find((name) => name !== undefined);
  if (aclUser !== undefined) return aclUser === fields.get(MASTER_USER_FIELD) ? 'master' : 'user';
  return version === '2.3' ? 'master' : 'user';
}

/** Whether a master user logs in as another one. */
export function hasMaster({ fields }: LoginFacts): boolean {
  return (fields.get(MASTER_USER_FIELD) ?? '') !== '';
}

/**
 * What a userdb may have given of groups, in characters: what one variable of exec mode can hold (Linux, MAX_ARG_STRLEN). Dovecot takes 8 KiB of
 * a userdb's reply; two million names in a request stopped the service for seconds.
 */
const MOST_GIVEN = 128 * 1024;

/**
 * Who to look up, and what the userdb had already given.
 * @throws UsageError for more given groups than any userdb can give, and for a user name that isn't UTF-8, or has control characters, which no account has and which addons cut off at the first NUL
 */
export function loginRequest(facts: LoginFacts, userFormat: 'full' | 'local', subject: Subject = 'user'): LoginRequest {
  const { localIp, remoteIp, fields, otherSpellings = [] } = facts;
  const master = subject === 'master' ? (fields.get(MASTER_USER_FIELD) ?? '') : '';
  const name = master === '' ? facts.name : master;
  // The userdb's account is the user's, not the master user's.
  const systemUser = master === '' ? (fields.get(SYSTEM_GROUPS_USER_FIELD) ?? '') : '';
  const account = systemUser !== '' ? systemUser : userFormat === 'local' ? name.replace(/@.*$/s, '') : name;
  if (hasControlCharacters(name) || hasControlCharacters(account)) {
    throw new UsageError(`the user name "${name}" holds control characters; refuse it in Dovecot: auth_username_chars`);
  }
  // What wasn't UTF-8 in the environment is U+FFFD by now, and two such names could be taken for each other.
  if (!isUnicode(name) || !isUnicode(account)) throw new UsageError(`the user name "${name}" is not valid UTF-8`);
  const unreadable = otherSpellings.find(({ key, value }) => !isUnicode(key) || !isUnicode(value));
  if (unreadable !== undefined) throw new UsageError(`the userdb's field ${unreadable.key} is not valid UTF-8`);
  const existing = fields.get(ACL_GROUPS_FIELD) ?? '';
  const given = otherSpellings.reduce((sum, { key, value }) => sum + key.length + value.length, existing.length);
  if (given > MOST_GIVEN) throw new UsageError(`${name}: the userdb gave ${given} characters of groups, and ${MOST_GIVEN} are the most`);
  return { user: { name, account, localIp, remoteIp, fields }, existing, others: otherSpellings };
}
