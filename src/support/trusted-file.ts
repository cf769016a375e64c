import { type BigIntStats, closeSync, constants, fstatSync, openSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** Why a file is refused. */
export interface Distrust {
  /** Goes on from the file's path: "belongs to uid 1000, …". */
  readonly problem: string;
  /** What to do about it, as a command or in words. */
  readonly fix: string;
}

/** What a file has to be. */
export interface Trust {
  /** Whether nobody but the owner may read it either. Default false. */
  readonly secret?: boolean;
  /** The user that runs, whose own files are trusted like root's. Default: this process's effective user id. */
  readonly uid?: number;
}

/** A file that others than root and the user that runs could have written, or that is no regular file. */
export class UntrustedFileError extends Error implements Distrust {
  override name = 'UntrustedFileError';
  readonly problem: string;
  readonly fix: string;

  constructor(path: string, { problem, fix }: Distrust) {
    super(`${path}: refused: it ${problem}; ${fix}`);
    this.problem = problem;
    this.fix = fix;
  }
}

/**
 * Why a file can't be trusted: who else may write (or, for a secret, read) it. `undefined` for a file that can.
 *
 * Rights by POSIX ACLs are seen, too: where there are any, the mode's group bits are the most that an ACL may give (acl(5)).
 *
 * The directories above aren't looked at, unlike by sshd's StrictModes: who may write one of them can put another file in the place of this
 * one, but then a file of his own, which is refused here for its owner. What is left to him is to take the file away, which ends in an
 * error, or to put an older trusted file there; sites with a directory that a group of administrators may write exist, and are told of it
 * by `acl-groups check` (see {@link whyReplaceable}).
 */
export function whyUntrusted(
  path: string,
  stats: { readonly mode: number | bigint; readonly uid: number | bigint },
  { secret = false, uid = process.geteuid?.() ?? 0 }: Trust = {},
): Distrust | undefined {
  const owner = Number(stats.uid);
  const mode = Number(stats.mode) & 0o777;
  if (owner !== 0 && owner !== uid) {
    const own = uid === 0 ? '' : `, nor to the user that runs (uid ${uid})`;
    return { problem: `belongs to uid ${owner}, not to root${own}`, fix: `run: chown ${uid === 0 ? 'root' : uid} ${path}` };
  }
  const octal = mode.toString(8).padStart(3, '0');
  if (secret && (mode & 0o077) !== 0) {
    return { problem: `holds a secret, and others than its owner may read or write it (mode ${octal})`, fix: `run: chmod go= ${path}` };
  }
  if ((mode & 0o022) !== 0) return { problem: `may be written by others than its owner (mode ${octal})`, fix: `run: chmod go-w ${path}` };
  return undefined;
}

/** Why others could put another file in the place of this one: who may write its directory. For a warning, see {@link whyUntrusted}. */
export function whyReplaceable(path: string, { uid }: Pick<Trust, 'uid'> = {}): Distrust | undefined {
  const directory = dirname(path);
  const stats = statSync(directory, { throwIfNoEntry: false });
  // With the sticky bit, files can be renamed and removed by their owners alone (inode(7)).
  const mode = stats === undefined || (stats.mode & 0o1000) !== 0 ? 0 : stats.mode;
  return stats && whyUntrusted(directory, { mode, uid: stats.uid }, uid === undefined ? {} : { uid });
}

/** A file that is open for reading. The caller closes the descriptor. */
export interface OpenFile {
  readonly descriptor: number;
  /** Of the open file: whatever the path leads to by now, this is what will be read. */
  readonly stats: BigIntStats;
}

/**
 * Opens a regular file, without waiting: a FIFO that nobody writes to would hold the process for ever.
 * @throws UntrustedFileError for a directory, FIFO, socket or device; Error from open(2)
 */
export function openRegularFile(path: string): OpenFile {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(descriptor, { bigint: true });
    if (!stats.isFile()) throw new UntrustedFileError(path, { problem: `is ${kindOf(stats)}`, fix: 'name a regular file' });
    return { descriptor, stats };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/**
 * Opens a file that only root and the user that runs could have written; see {@link openRegularFile}. What is judged is what is read.
 * @throws UntrustedFileError for any other file; Error from open(2)
 */
export function openTrustedFile(path: string, trust: Trust = {}): OpenFile {
  const file = openRegularFile(path);
  const distrust = whyUntrusted(path, file.stats, trust);
  if (distrust === undefined) return file;
  closeSync(file.descriptor);
  throw new UntrustedFileError(path, distrust);
}

/**
 * The bytes of a file that only root and the user that runs could have written.
 * @throws UntrustedFileError for any other file; Error from open(2) or read(2)
 */
export function readTrustedFile(path: string, trust: Trust = {}): Buffer {
  const { descriptor } = openTrustedFile(path, trust);
  try {
    return readFileSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function kindOf(stats: BigIntStats): string {
  if (stats.isDirectory()) return 'a directory';
  if (stats.isFIFO()) return 'a FIFO';
  return 'a device';
}
