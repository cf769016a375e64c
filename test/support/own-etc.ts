import { execFile, type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { HIDE_NAME_DAEMONS } from './world-etc.js';

/** Files that a program is to find in /etc (or wherever the key says), by path. */
export type OwnFiles = Readonly<Record<string, string | Buffer>>;

/** A directory with the files, from which `underOwnEtc` takes them. */
export interface OwnEtc {
  readonly directory: string;
  /** Where the file that stands in for `path` is. */
  file(path: string): string;
  /** The words that run a program where the files are in place: in a mount namespace of its own, so that the machine keeps its own. */
  command(...program: readonly string[]): readonly [string, ...string[]];
}

/** Writes the files to a new directory. `directories` are empty ones, which hide what the machine has there. */
export function ownEtc(files: OwnFiles, directories: readonly string[] = []): OwnEtc {
  const directory = mkdtempSync(join(tmpdir(), 'acl-groups-etc-'));
  const file = (path: string): string => join(directory, basename(path));
  for (const [path, content] of Object.entries(files)) writeFileSync(file(path), content);
  for (const path of directories) mkdirSync(file(path));
  // Without root, a user namespace gives the right to mount.
  const namespace = ['--mount', ...(process.getuid?.() === 0 ? [] : ['--map-root-user'])];
  const mounts = [...Object.keys(files), ...directories].map((path) => `mount --bind '${file(path)}' '${path}'`);
  return {
    directory,
    file,
    command: (...program) => [
      'unshare',
      ...namespace,
      'sh',
      '-c',
      [HIDE_NAME_DAEMONS, ...mounts, 'exec "$@"'].join(' && '),
      'sh',
      ...program,
    ],
  };
}

/** Runs a program to its end; standard output as bytes. */
export function runUnder(etc: OwnEtc, program: readonly string[], env: NodeJS.ProcessEnv = {}): SpawnSyncReturns<Buffer> {
  const [command, ...words] = etc.command(...program);
  return spawnSync(command, words, { env: { ...process.env, ...env }, maxBuffer: 2 ** 28 });
}

/** The same without waiting: what it wrote, and its status. */
export async function startUnder(
  etc: OwnEtc,
  program: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ stdout: string; stderr: string; status: unknown }> {
  const [command, ...words] = etc.command(...program);
  return await new Promise((resolve) => {
    execFile(command, words, { env: { ...process.env, ...env } }, (error, stdout, stderr) => {
      resolve({ stdout, stderr, status: error === null ? 0 : error.code });
    });
  });
}
