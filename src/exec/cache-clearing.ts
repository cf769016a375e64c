import { opendir, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isExpired } from './cache-entry.js';
import type { Moment } from './launcher.js';

/** How many files one login looks at. */
const LOOKED_AT = 100;

/** How many names are read, to begin at any of them: else entries that are still good would hide what is behind them. */
const NAMES = 1000;

/** Removes some entries that are over, and drafts of processes that ended before they were done. */
export async function clearExpired(directory: string, now: Moment, random: () => number = Math.random): Promise<void> {
  const names: string[] = [];
  for await (const { name } of await opendir(directory)) {
    names.push(name);
    if (names.length === NAMES) break;
  }
  const start = Math.floor(random() * names.length);
  const some = [...names.slice(start), ...names.slice(0, start)].slice(0, LOOKED_AT);
  for (const name of some) {
    const file = join(directory, name);
    // Another login may have removed or renewed it by now.
    if (await isOver(name, file, now)) await unlink(file).catch(() => undefined);
  }
}

async function isOver(name: string, file: string, now: Moment): Promise<boolean> {
  const [, pid] = /^\.(\d+)\.draft$/.exec(name) ?? [];
  if (pid !== undefined) return !isRunning(Number(pid));
  try {
    return isExpired(await readFile(file, 'utf8'), now);
  } catch {
    return false;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
