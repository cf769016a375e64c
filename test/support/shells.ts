import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** A shell that may be /bin/sh: its name, its path, and the words that make it one. */
export interface Shell {
  readonly name: string;
  readonly words: readonly string[];
}

/** Those that this machine lacks are left out, but not where nothing may be. test/run installs all of them. */
export const SHELLS: readonly Shell[] = [['dash'], ['bash', '--posix'], ['busybox', 'sh']]
  .filter(([name = '']) => {
    const { error } = spawnSync(name, ['-c', 'true']);
    if (error !== undefined && process.env.CI === 'true') throw error;
    return error === undefined;
  })
  .map((words) => {
    const path = execFileSync('sh', ['-c', 'command -v "$1"', 'sh', words[0] ?? ''], { encoding: 'utf8' }).trim();
    return { name: words.join(' '), words: [path, ...words.slice(1)] };
  });

/** How a program ended, and what it wrote. */
export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the launcher of a prefix by a shell, with nothing but `env` in the environment, as script-login does. */
export function launch(
  { words }: Shell,
  prefix: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  input = '',
): Ended {
  const assignments = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const command = ['-i', '--', ...assignments, ...words, join(prefix, 'bin/acl-groups'), ...args];
  const { status, stdout, stderr } = spawnSync('env', command, { encoding: 'utf8', input });
  return { status, stdout, stderr };
}

/** A program that prints its environment with NUL between the variables. */
export const PRINT_ENVIRONMENT: readonly string[] = ['/usr/bin/env', '-0'];

/** What {@link PRINT_ENVIRONMENT} printed. */
export function parsePrinted(text: string): Record<string, string> {
  return Object.fromEntries(text.split('\0').flatMap((entry) => (entry === '' ? [] : [entry.split(/=(.*)/s).slice(0, 2)])));
}
