import { type ChildProcess, execFile, type SpawnOptions, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DEBIAN_13 } from './debian13.js';
import { type EtcOptions, makeEtc, WORLD_ENTER } from './world-etc.js';

export type { Account } from './world-etc.js';

export type DovecotVersion = '2.3' | '2.4';

/** The Dovecot versions that suites run on: of this machine (Debian 12), and of the Debian 13 tree. */
export const VERSIONS: readonly DovecotVersion[] = ['2.3', '2.4'];

export interface WorldOptions extends EtcOptions {
  readonly version: DovecotVersion;
}

/**
 * A machine of its own, as far as accounts and configuration go: processes started in it see an /etc of their own, with Debian's accounts
 * and those of the test, and for 2.4 the root directory of Debian 13. /tmp, process ids and the network are this machine's.
 */
export interface World {
  readonly version: DovecotVersion;
  /** A temporary directory, at the same path inside and outside, readable by everybody. */
  readonly directory: string;
  /** Where this world's /etc is, seen from outside: tests may change files there at any time. */
  readonly etc: string;
  /** Starts a program in this world. The child process is the program itself, so signals reach it; it ends when this process does. */
  spawn(argv: readonly string[], options?: SpawnOptions): ChildProcess;
  /** Runs a program in this world to its end. */
  run(argv: readonly string[], options?: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string }): Promise<RunResult>;
  /** Removes the directory. */
  close(): Promise<void>;
}

export interface RunResult {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export const WORLD_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Makes a world. Needs root. */
export async function openWorld(options: WorldOptions): Promise<World> {
  const { version } = options;
  const root = version === '2.4' ? DEBIAN_13 : '';
  // The path becomes part of socket names, which may have 107 bytes; and /tmp is what both worlds share.
  const directory = await mkdtemp('/tmp/acl-groups-');
  await chmod(directory, 0o755);
  const etc = join(directory, 'etc');
  await makeEtc(etc, root, options, directory);
  await mkdir(join(directory, 'home'));
  await chmod(join(directory, 'home'), 0o1777);
  const enter = (argv: readonly string[]): string[] => ['--mount', '--', '/bin/sh', '-c', WORLD_ENTER, 'sh', etc, root, ...argv];
  return {
    version,
    directory,
    etc,
    spawn: (argv, spawnOptions = {}) => spawn('unshare', enter(argv), { env: { PATH: WORLD_PATH }, ...spawnOptions }),
    run: (argv, { env, cwd } = {}) =>
      new Promise((resolve) => {
        const child = execFile(
          'unshare',
          enter(argv),
          { env: { PATH: WORLD_PATH, ...env }, cwd, maxBuffer: Number.POSITIVE_INFINITY },
          (_error, stdout, stderr) => resolve({ status: child.exitCode, signal: child.signalCode, stdout, stderr }),
        );
      }),
    close: async () => {
      if (process.env.ACL_GROUPS_TEST_KEEP === undefined) await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A process by its id and its command line. */
export interface ProcessInfo {
  readonly pid: number;
  readonly command: string;
}

/** The processes that share a mount namespace, given by its link text: everything that one `spawn` of a world led to. */
export async function processesOf(namespace: string): Promise<readonly ProcessInfo[]> {
  const found = await Promise.all(
    (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map((pid) => describe(Number(pid), namespace)),
  );
  return found.filter((info) => info !== undefined);
}

/** The link text of a process's mount namespace; `undefined` when the process is gone. */
export async function namespaceOf(pid: number): Promise<string | undefined> {
  return readlink(`/proc/${pid}/ns/mnt`).catch(() => undefined);
}

async function describe(pid: number, namespace: string): Promise<ProcessInfo | undefined> {
  if ((await namespaceOf(pid)) !== namespace) return undefined;
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return { pid, command: command.replaceAll('\0', ' ').trim() };
}
