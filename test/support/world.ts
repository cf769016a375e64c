import { type ChildProcess, execFile, type SpawnOptions, spawn } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DEBIAN_13 } from './debian13.js';

export type DovecotVersion = '2.3' | '2.4';

/** The Dovecot versions that suites run on: of this machine (Debian 12), and of the Debian 13 tree. */
export const VERSIONS: readonly DovecotVersion[] = ['2.3', '2.4'];

/** A UNIX account of a world. */
export interface Account {
  readonly name: string;
  /** From 10,001 on, by position. */
  readonly uid?: number;
  /** The primary group, which is made unless `groups` has it; the user's own name unless given. */
  readonly group?: string;
}

export interface WorldOptions {
  readonly version: DovecotVersion;
  readonly accounts?: readonly Account[];
  /** Members by group, in the order of /etc/group; ids above 20,000. Not one of Debian's own names. */
  readonly groups?: Readonly<Record<string, readonly string[]>>;
  /** Files below /etc by relative path: `{ 'acl-groups.toml': text, group: text }` adds or replaces. */
  readonly etc?: Readonly<Record<string, string>>;
}

/**
 * A machine of its own, as far as accounts and configuration go: processes started in it see an /etc that is a copy, with the accounts
 * of the test added, and for 2.4 the root directory of Debian 13. /tmp, process ids and the network are this machine's.
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

/** Runs as root in a new mount namespace: $1 is the copy of /etc, $2 the root directory or nothing; the rest is the command. */
const ENTER = `
set -e
mount --bind "$1" "$2/etc"
if [ -n "$2" ]; then
  mount --bind /tmp "$2/tmp"
  mount --rbind /proc "$2/proc"
  mount --rbind /dev "$2/dev"
  root=$2; shift 2; exec setpriv --pdeathsig TERM -- chroot "$root" "$@"
fi
shift 2; exec setpriv --pdeathsig TERM -- "$@"`;

/** Makes a world. Needs root. */
export async function openWorld(options: WorldOptions): Promise<World> {
  const { version } = options;
  const root = version === '2.4' ? DEBIAN_13 : '';
  // The path becomes part of socket names, which may have 107 bytes; and /tmp is what both worlds share.
  const directory = await mkdtemp('/tmp/acl-groups-');
  await chmod(directory, 0o755);
  const etc = join(directory, 'etc');
  await promisify(execFile)('cp', ['-a', `${root}/etc`, etc]);
  // What it takes to reach a package registry from in there.
  if (root !== '')
    await Promise.all(['resolv.conf', 'hosts'].map((file) => cp(join('/etc', file), join(etc, file), { dereference: true })));
  await addAccounts(directory, options);
  await mkdir(join(directory, 'home'));
  await chmod(join(directory, 'home'), 0o1777);
  const files = { 'nsswitch.conf': 'passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n', ...options.etc };
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(etc, path, '..'), { recursive: true });
    await writeFile(join(etc, path), text);
  }
  const enter = (argv: readonly string[]): string[] => ['--mount', '--', '/bin/sh', '-c', ENTER, 'sh', etc, root, ...argv];
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

async function addAccounts(directory: string, { accounts = [], groups = {} }: WorldOptions): Promise<void> {
  const existing = (await readFile(join(directory, 'etc/group'), 'utf8')).split('\n').map((line) => line.split(':'));
  const gids = new Map(existing.map(([name = '', , gid]) => [name, Number(gid)]));
  const wanted = new Map(Object.entries(groups));
  for (const { name, group = name } of accounts) if (!wanted.has(group)) wanted.set(group, []);
  for (const name of wanted.keys()) {
    if (gids.has(name)) throw new Error(`the group ${name} is Debian's own: choose another name`);
    gids.set(name, 20_001 + gids.size);
  }
  const passwd = accounts.map(
    ({ name, uid, group = name }, index) => `${name}:x:${uid ?? 10_001 + index}:${gids.get(group)}::${directory}/home/${name}:/bin/sh\n`,
  );
  const group = [...wanted].map(([name, members]) => `${name}:x:${gids.get(name)}:${members.join(',')}\n`);
  await writeFile(join(directory, 'etc/passwd'), passwd.join(''), { flag: 'a' });
  await writeFile(join(directory, 'etc/group'), group.join(''), { flag: 'a' });
}
