import type { LoginUser } from '../providers/provider.js';
import { UsageError } from '../support/errors.js';
import { hasControlCharacters, isUnicode } from '../support/text.js';

/** The userdb field that holds the groups, and the variable that script-login makes of it. */
export const ACL_GROUPS_FIELD = 'acl_groups';
export const ACL_GROUPS_VARIABLE = 'ACL_GROUPS';

/** A login as it reaches a post-login program or service, before anything is looked up. */
export interface LoginRequest {
  readonly user: LoginUser;
  /** The groups that the userdb had already given, in Dovecot's own notation. */
  readonly existing: string;
}

/** What script-login tells by the environment (util/script-login.c), or by the protocol's fields. */
export interface LoginFacts {
  readonly name: string;
  readonly localIp?: string | undefined;
  readonly remoteIp?: string | undefined;
  /** Keys in lower case. */
  readonly fields: ReadonlyMap<string, string>;
}

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
  for (const key of [ACL_GROUPS_VARIABLE, 'SYSTEM_GROUPS_USER']) {
    const value = env[key];
    if (value !== undefined) fields.set(key.toLowerCase(), value);
  }
  return { name, localIp, remoteIp, fields };
}

/**
 * Who to look up, and what the userdb had already given.
 * @throws UsageError for a user name that isn't UTF-8, or has control characters, which no account has and which addons cut off at the first NUL
 */
export function loginRequest(facts: LoginFacts, userFormat: 'full' | 'local'): LoginRequest {
  const { name, localIp, remoteIp, fields } = facts;
  const systemUser = fields.get('system_groups_user') ?? '';
  const account = systemUser !== '' ? systemUser : userFormat === 'local' ? name.replace(/@.*$/s, '') : name;
  if (hasControlCharacters(name) || hasControlCharacters(account)) {
    throw new UsageError(`the user name "${name}" holds control characters; refuse it in Dovecot: auth_username_chars`);
  }
  // What wasn't UTF-8 in the environment is U+FFFD by now, and two such names could be taken for each other.
  if (!isUnicode(name) || !isUnicode(account)) throw new UsageError(`the user name "${name}" is not valid UTF-8`);
  return { user: { name, account, localIp, remoteIp, fields }, existing: fields.get(ACL_GROUPS_FIELD) ?? '' };
}
