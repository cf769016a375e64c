import { lstat, open, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { SYSTEM_GROUPS_USER_FIELD } from '../dovecot/fields.js';
import type { LoginAnswer } from '../login/answer.js';
import type { LoginRequest } from '../login/request.js';
import type { OpenProvider } from '../providers/registry.js';
import { explain } from '../support/errors.js';
import type { Logger } from '../support/log.js';
import { clearExpired } from './cache-clearing.js';
import { type CacheEntry, formatEntry } from './cache-entry.js';
import type { Moment } from './launcher.js';

/** A login's answer, and what it came from. */
export interface AnsweredLogin {
  readonly request: LoginRequest;
  readonly answer: LoginAnswer;
  /** The value that the program is given. */
  readonly value: string;
  readonly providers: readonly OpenProvider[];
  /** The words before the program. */
  readonly optionWords: readonly string[];
  /** Variables that the shell added. */
  readonly unset: readonly string[];
}

/** How to keep it. */
export interface Keeping {
  /** What --cache-dir names. */
  readonly directory: string;
  /** Milliseconds. */
  readonly ttl: number;
  /** When the launcher was started; `undefined` where nothing can be kept. */
  readonly moment: Moment | undefined;
  /** A time, in milliseconds since 1970, at which the configuration hadn't been read yet: one that changes later ends the entry. */
  readonly started: number;
}

/**
 * Keeps an answer for the launcher, unless another login's may differ by what the launcher doesn't compare, or something is missing in it.
 * A cache that can't be used slows logins down, and is no reason to lose one: that is an error in the log.
 */
export async function keepAnswer(login: AnsweredLogin, { directory, ttl, moment, started }: Keeping, log: Logger): Promise<void> {
  if (moment === undefined || !isGeneral(login) || !isWhole(login)) return;
  const { request, answer, value, optionWords, unset } = login;
  const entry = {
    user: request.user.name,
    systemUser: request.user.fields.get(SYSTEM_GROUPS_USER_FIELD) ?? '',
    moment,
    until: moment.uptime + Math.floor(ttl / 10),
    optionWords,
    unset,
    value: answer.verdict === 'unknown' ? undefined : value,
  };
  try {
    await storeEntry(directory, entry, started);
  } catch (error) {
    log.error(explain(error));
  }
}

function isGeneral({ request, providers }: AnsweredLogin): boolean {
  return request.existing === '' && request.others.length === 0 && providers.every(({ provider }) => !provider.cacheKey);
}

function isWhole({ answer, value }: AnsweredLogin): boolean {
  return (
    value === answer.value &&
    answer.providers.every(({ outcome }) => outcome !== 'error') &&
    answer.groups.every(({ warning }) => warning === undefined) &&
    answer.skipped.every(({ incomplete }) => incomplete !== true)
  );
}

/**
 * Writes an entry, and clears away some that are over. It appears whole or not at all. `before` is a time at which the configuration hadn't
 * been read yet, in milliseconds since 1970.
 * @throws Error for a directory that isn't this process's own, or that others may enter
 */
export async function storeEntry(directory: string, entry: CacheEntry, before: number): Promise<void> {
  const text = formatEntry(entry);
  if (text === undefined || entry.until <= entry.moment.uptime) return;
  await assertPrivate(directory);
  // The launcher takes no file with a dot in front for a user's.
  const draft = join(directory, `.${process.pid}.draft`);
  try {
    await write(draft, text, before);
    await rename(draft, join(directory, entry.user));
    await clearExpired(directory, entry.moment);
  } catch (error) {
    await unlink(draft).catch(() => undefined);
    throw new Error(`--cache-dir ${directory}: can't write: ${explain(error)}`, { cause: error });
  }
}

async function write(draft: string, text: string, before: number): Promise<void> {
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(text);
    // The launcher asks whether the configuration is newer, and a shell may know whole seconds only.
    const time = Math.floor(before / 1000) - 1;
    await file.utimes(time, time);
  } finally {
    await file.close();
  }
}

/** Whoever can write here can give anybody any group. */
async function assertPrivate(directory: string): Promise<void> {
  const refused = (why: string): Error =>
    new Error(`--cache-dir ${directory}: not used: ${why}; fix it with: install -d -m 700 -o ${process.geteuid?.()} ${directory}`);
  const found = await lstat(directory).catch((error: unknown) => {
    throw refused(explain(error));
  });
  if (!found.isDirectory()) throw refused('it is no directory');
  if (found.uid !== process.geteuid?.())
    throw refused(`it belongs to user id ${found.uid}, and this process runs as ${process.geteuid?.()}`);
  if ((found.mode & 0o777) !== 0o700) throw refused(`its mode is ${(found.mode & 0o777).toString(8)}, and must be 700`);
}
