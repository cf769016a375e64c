import { type FileHandle, lstat, open, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { explain } from '../support/errors.js';

/**
 * The cache of exec mode: a file for each user, which the launcher reads without starting Node. Its modification time lies in the
 * future and is its end: a shell can compare that (`-nt`) with a file that it has just written to, and needs no clock.
 */
export interface ExecCacheEntry {
  /** The user name, which is the file's name as well. */
  readonly user: string;
  /** SYSTEM_GROUPS_USER, or the empty text. */
  readonly systemUser: string;
  /** The words before the program: an answer is good for the same options only. */
  readonly optionWords: readonly string[];
  /** Variables that the shell added, and takes away again. */
  readonly unset: readonly string[];
  /** The value of ACL_GROUPS. */
  readonly value: string;
}

/** The shell reads such a file byte by byte; past this, starting Node costs less. */
const LARGEST = 16_384;

/** User names that are file names, to the shell's patterns as to the file system. The launcher has the same rule. */
const PLAIN_USER = /^[A-Za-z0-9_][A-Za-z0-9@._+-]{0,199}$/;

/** What the file holds, or `undefined` for an entry that the shell couldn't read back exactly, or not quickly. */
export function formatEntry({ user, systemUser, optionWords, unset, value }: ExecCacheEntry): string | undefined {
  const lines = ['acl-groups 1', `${user} ${systemUser}`, optionWords.join(' '), unset.join(' '), value, '.'];
  const text = `${lines.join('\n')}\n`;
  const readable = PLAIN_USER.test(user) && text.split('\n').length === lines.length + 1 && Buffer.byteLength(text) <= LARGEST;
  return readable ? text : undefined;
}

/**
 * Keeps an entry for `ttl` milliseconds. It appears whole or not at all.
 * @throws Error for a directory that isn't this process's own, or that others may enter
 */
export async function storeEntry(directory: string, entry: ExecCacheEntry, ttl: number): Promise<void> {
  const text = formatEntry(entry);
  if (text === undefined || ttl === 0) return;
  await assertPrivate(directory);
  // The launcher takes no file with a dot in front for a user's.
  const draft = join(directory, `.${entry.user}.${process.pid}`);
  try {
    const file = await open(draft, 'wx', 0o600);
    await write(file, text, ttl);
    await rename(draft, join(directory, entry.user));
  } catch (error) {
    await unlink(draft).catch(() => undefined);
    throw new Error(`--cache-dir ${directory}: can't write: ${explain(error)}`, { cause: error });
  }
}

async function write(file: FileHandle, text: string, ttl: number): Promise<void> {
  try {
    await file.writeFile(text);
    const end = new Date(Date.now() + ttl);
    await file.utimes(end, end);
  } finally {
    await file.close();
  }
}

/** Whoever can write here can give anybody any group. */
async function assertPrivate(directory: string): Promise<void> {
  const refused = (why: string): Error =>
    new Error(`--cache-dir ${directory}: not used: ${why}; mend it with: install -d -m 700 -o ${process.geteuid?.()} ${directory}`);
  const found = await lstat(directory).catch((error: unknown) => {
    throw refused(explain(error));
  });
  if (!found.isDirectory()) throw refused('it is no directory');
  if (found.uid !== process.geteuid?.())
    throw refused(`it belongs to user id ${found.uid}, and this process runs as ${process.geteuid?.()}`);
  if ((found.mode & 0o777) !== 0o700) throw refused(`its mode is ${(found.mode & 0o777).toString(8)}, and must be 700`);
}
