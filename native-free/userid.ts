/**
 * Stands in for the `userid` addon where nothing could be compiled: the same questions, put to the C library by way of getent(1).
 *
 * They are promises here, where the addon's functions block: a name service may hang, and a process can be killed.
 * @module
 */
import { type ExecFileException, execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { bound, whenGone } from '../src/support/processes.js';

/** Past this, an answer is no answer. A group's line has all its members. */
const MOST_BYTES = 2 ** 28;
/** Far below what a command line can hold. */
const GIDS_AT_ONCE = 4096;

/** What getent says when the database hasn't got a key (getent(1), exit status 2). */
const NOT_FOUND = 2;

/** A program's exit status and what it wrote. */
export interface Output {
  readonly status: number;
  readonly stdout: string;
}

/**
 * The ids of an account's groups, the primary one first, as `userid.gids`; `undefined` for an account that isn't found, or when the name
 * service failed: like the addon, getent can't tell. Without `includePrimary`, the primary group only where it lists the account as a member.
 * @throws Error when getent can't be run, or says what can't be understood
 */
export async function gids(account: string, signal: AbortSignal, includePrimary = true): Promise<readonly number[] | undefined> {
  const [primary, others] = await Promise.all([primaryGroup(account, signal), memberships(account, signal)]);
  return primary === undefined ? undefined : [...new Set([...(includePrimary ? [primary] : []), ...others])];
}

/** The names of groups, as `userid.groupname`, for many ids at once; ids without a name are left out. */
export async function groupnames(ids: readonly number[], signal: AbortSignal): Promise<ReadonlyMap<number, string>> {
  const names = new Map<number, string>();
  for (let start = 0; start < ids.length; start += GIDS_AT_ONCE) {
    const { stdout } = await getent(['--', 'group', ...ids.slice(start, start + GIDS_AT_ONCE).map(String)], signal);
    for (const line of stdout.split('\n')) {
      const [name, , gid] = line.split(':', 3);
      if (name !== undefined && gid !== undefined) names.set(Number(gid), name);
    }
  }
  for (const gid of ids) if (!names.has(gid)) await expectNameless(gid, signal);
  return names;
}

/** getent prints nothing of a group with a member that has a colon or a comma in it (putgrent(3)), which isn't a group without a name. */
async function expectNameless(gid: number, signal: AbortSignal): Promise<void> {
  const { status } = await getent(['--', 'group', String(gid)], signal);
  if (status !== NOT_FOUND) throw new Error(`getent can't print the group ${gid}; install the userid addon: npm rebuild userid`);
}

/**
 * Whether a name service works: asks it for `key`, which the files have, and then the files. One that doesn't know the key goes on to them;
 * one that fails ends the search, so that the key isn't found.
 */
export async function answers(database: 'passwd' | 'group', service: string, key: string, signal: AbortSignal): Promise<boolean> {
  const line = `${database}:${service} [NOTFOUND=continue UNAVAIL=return TRYAGAIN=return] files`;
  const { status } = await getent(['-s', line, '--', database, key], signal);
  return status === 0;
}

/** Runs getent, with the exit status 0 or 2. */
export async function getent(words: readonly string[], signal: AbortSignal): Promise<Output> {
  const output = await run('getent', words, signal);
  if (output.status !== 0 && output.status !== NOT_FOUND) throw new Error(`getent ${words.join(' ')}: exit status ${output.status}`);
  return output;
}

async function primaryGroup(account: string, signal: AbortSignal): Promise<number | undefined> {
  const { status, stdout } = await getent(['--', 'passwd', account], signal);
  // getent takes what looks like a number for a user id, and prints nothing of an entry that has a colon in a field (putpwent(3)).
  const number = /^\s*[+-]?\d+$/.test(account) && !stdout.startsWith(`${account}:`);
  if (number || (status === 0 && stdout === '')) return await primaryGroupById(account, signal);
  if (status === NOT_FOUND) return undefined;
  return parseGid(stdout.split(':')[3], `getent passwd ${account}`);
}

/** id(1) tries a name before it tries a number, and says by what name it found somebody. */
async function primaryGroupById(account: string, signal: AbortSignal): Promise<number | undefined> {
  const { status, stdout } = await run('id', ['-un', '--', account], signal);
  if (status !== 0 || stdout !== `${account}\n`) return undefined;
  return parseGid((await run('id', ['-g', '--', account], signal)).stdout.trim(), `id -g ${account}`);
}

async function memberships(account: string, signal: AbortSignal): Promise<readonly number[]> {
  const { status, stdout } = await getent(['--', 'initgroups', account], signal);
  // The account, blanks, the ids. The account may have blanks of its own, so it can't be found by them.
  if (status === 0 && !stdout.startsWith(account)) throw new Error(`getent initgroups ${account}: it printed "${stdout.trim()}"`);
  const ids = stdout.slice(account.length).trim();
  return ids === '' ? [] : ids.split(/ +/).map((gid) => parseGid(gid, `getent initgroups ${account}`));
}

function parseGid(text: string | undefined, source: string): number {
  if (text === undefined || !/^\d{1,10}$/.test(text)) throw new Error(`${source}: "${text ?? ''}" is no group id`);
  return Number(text);
}

async function run(program: 'getent' | 'id', words: readonly string[], signal: AbortSignal): Promise<Output> {
  // There is no PATH to rely on: script-login wipes it.
  const file = [`/usr/bin/${program}`, `/bin/${program}`].find(existsSync);
  if (file === undefined) throw new Error(`${program} is not in /usr/bin or /bin; it comes with the C library (Debian: libc-bin)`);
  const options = {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
    maxBuffer: MOST_BYTES,
    signal,
    // A process stuck in a name service may not heed SIGTERM.
    killSignal: 'SIGKILL',
  } as const;
  return await new Promise((resolve, reject) => {
    const [command, ...rest] = bound(file, words);
    const child = execFile(command, rest, options, (error: ExecFileException | null, stdout) => {
      if (signal.aborted) whenGone(child, () => reject(signal.reason));
      else if (error === null) resolve({ status: 0, stdout });
      else if (typeof error.code === 'number') resolve({ status: error.code, stdout });
      else if (typeof error.signal === 'string') reject(new Error(`${program} ${words.join(' ')}: ended with ${error.signal}`));
      else reject(error);
    });
  });
}
