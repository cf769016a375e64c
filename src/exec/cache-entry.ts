import type { Moment } from './launcher.js';

/**
 * An entry in the cache of exec mode: a file for each user, which the launcher reads without starting Node.js. It is good between two
 * uptimes of one boot, which no change of a clock moves.
 *
 * It ends with `ttl`, whatever it depends on; before that, when Dovecot is started again (so by each upgrade: the launcher's parent is
 * another one), and when the configuration's file is newer than the entry's.
 */
export interface CacheEntry {
  /** The user name, which is the file's name as well. */
  readonly user: string;
  /** SYSTEM_GROUPS_USER, or the empty text. */
  readonly systemUser: string;
  /** When the launcher was started: before anything was asked. */
  readonly moment: Moment;
  /** The uptime at which the entry is over, in hundredths of a second. */
  readonly until: number;
  /** The words before the program: an answer is good for the same options only. */
  readonly optionWords: readonly string[];
  /** Variables that the shell added, and takes away again. */
  readonly unset: readonly string[];
  /** The value of ACL_GROUPS; `undefined` for a user whom no provider knows, whose environment stays as it is. */
  readonly value: string | undefined;
}

/** The first line. Entries of other versions are for nobody. */
const FORMAT = 'acl-groups 2';

/** The shell reads such a file byte by byte; past this, starting Node costs less. */
const LARGEST_ENTRY = 16_384;

/** User names that are file names, to the shell's patterns as to the file system. The launcher has the same rule. */
const PLAIN_USER = /^[A-Za-z0-9_][A-Za-z0-9@._+-]{0,199}$/;

/** What the file holds, or `undefined` for an entry that the shell couldn't read back exactly, or not quickly. */
export function formatEntry({ user, systemUser, moment, until, optionWords, unset, value }: CacheEntry): string | undefined {
  const lines = [
    FORMAT,
    moment.identity,
    `${moment.uptime} ${until}`,
    `${user} ${systemUser}`,
    optionWords.join(' '),
    unset.join(' '),
    value ?? '',
    value === undefined ? 'unknown.' : '.',
  ];
  const text = `${lines.join('\n')}\n`;
  const readable = PLAIN_USER.test(user) && text.split('\n').length === lines.length + 1 && Buffer.byteLength(text) <= LARGEST_ENTRY;
  return readable ? text : undefined;
}

/** Whether a file of the cache will never be used again. */
export function isExpired(text: string, now: Moment): boolean {
  const [format, identity, uptimes = ''] = text.split('\n', 3);
  const [from, until] = uptimes.split(' ').map(Number);
  const good = format === FORMAT && identity === now.identity && from !== undefined && until !== undefined;
  return !(good && from <= now.uptime && now.uptime < until);
}
