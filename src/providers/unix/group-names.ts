import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { UnixOptions } from './options.js';
import { SYSTEM_PATHS } from './source.js';

/** Names of groups by getent: those asked for, which any name service finds, and those that the name services list. */
export async function groupNames(
  source: UnixOptions['source'],
  asked: readonly string[],
  least: number,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const texts =
    source === 'files' ? [readFileSync(SYSTEM_PATHS.group, 'utf8')] : await Promise.all([getent([], signal), ask(asked, signal)]);
  const names = texts.flatMap((text) =>
    text.split('\n').flatMap((line) => {
      const [name = '', , gid] = line.split(':');
      return gid !== undefined && Number(gid) >= least ? [name] : [];
    }),
  );
  return [...new Set(names)];
}

/** A few at a time: an argument list has a limit. */
async function ask(names: readonly string[], signal: AbortSignal): Promise<string> {
  const possible = names.filter((name) => !/[\0\n:]/.test(name) && !/^\d*$/.test(name));
  let text = '';
  for (let start = 0; start < possible.length; start += 100) text += await getent(possible.slice(start, start + 100), signal);
  return text;
}

function getent(keys: readonly string[], signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile('getent', ['group', '--', ...keys], { signal, maxBuffer: 1 << 28 }, (error, stdout) => {
      // 2: some key isn't there; 3: a service doesn't list.
      if (error === null || error.code === 2 || error.code === 3) resolve(stdout);
      else reject(error);
    });
  });
}
