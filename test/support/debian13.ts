import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** What the tree has beside Debian's base: Dovecot 2.4 with every service that a test asks, Debian's own Node.js; no compiler. */
const PACKAGES: readonly string[] = [
  ...['imapd', 'pop3d', 'lmtpd', 'ldap', 'sieve', 'managesieved', 'sqlite'].map((part) => `dovecot-${part}`),
  'ldap-utils',
  'nodejs',
];

const LIST = createHash('sha256').update(PACKAGES.join()).digest('hex').slice(0, 8);

/** Where the Debian 13 tree is kept between runs. The name depends on the packages, so that a tree of another list isn't taken for it. */
export const DEBIAN_13: string = process.env.ACL_GROUPS_TEST_TRIXIE ?? `/var/cache/acl-groups-test/trixie-${LIST}`;

/** Debian's base and the packages, in mount and process namespaces of its own: what it mounts and starts goes with it, and it with us. */
const DEBOOTSTRAP: readonly string[] = [
  ...['--pdeathsig', 'KILL', '--', 'unshare', '--mount', '--pid', '--fork', '--mount-proc', '--kill-child', '--'],
  ...['debootstrap', '--variant=minbase', `--include=${PACKAGES.join()}`, 'trixie'],
];

/**
 * Makes the Debian 13 tree, unless it is there. Takes a minute or two.
 * @throws Error when debootstrap fails, or isn't installed
 */
export async function ensureDebian13(): Promise<void> {
  if (await exists(DEBIAN_13)) return;
  const unfinished = `${DEBIAN_13}.${process.pid}-${await startTime(process.pid)}`;
  await mkdir(dirname(DEBIAN_13), { recursive: true });
  await removeAbandoned(DEBIAN_13);
  try {
    await promisify(execFile)('setpriv', [...DEBOOTSTRAP, unfinished], { maxBuffer: Number.POSITIVE_INFINITY });
    await rename(unfinished, DEBIAN_13);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    // Another run may have been faster.
    if (!(await exists(DEBIAN_13))) throw error;
  }
}

/** Removes the unfinished trees of runs that are over: a run's tree is named by its process id and that process's start. */
export async function removeAbandoned(tree: string): Promise<void> {
  for (const name of await readdir(dirname(tree))) {
    const [, pid, start] = name.startsWith(`${basename(tree)}.`) ? (/\.(\d+)-(\d+)$/.exec(name) ?? []) : [];
    if (pid === undefined || (await startTime(Number(pid))) === start) continue;
    await rm(join(dirname(tree), name), { recursive: true, force: true });
  }
}

/** When a process began, in clock ticks since boot (field 22 of /proc/PID/stat); `undefined` when there is none. */
async function startTime(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat.slice(stat.lastIndexOf(')') + 1).split(' ')[20];
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
