import { type BigIntStats, closeSync, fstatSync, readFileSync, statSync } from 'node:fs';
import { milliseconds } from './clock.js';
import { openRegularFile, openTrustedFile, type Trust } from './trusted-file.js';

/**
 * For how long a file has to be seen unchanged before its times can be trusted to show the next change, in milliseconds: a second change
 * within one grain of the file system's times leaves them as they are. The coarsest grain is FAT's, 2 s; ext4 with small inodes and some
 * NFS have 1 s, others the kernel's clock tick.
 *
 * Seen by a clock of our own that never steps, and not reckoned from the file's times: those are by the wall clock, maybe of another machine
 * (NFS), and may be behind, in the future, or not move at all.
 */
const SETTLED_AFTER = 3000;
/** By how many milliseconds the wall clock may seem to go back without having been set. */
const CLOCK_NOISE = 100;
const MOST_READINGS = 10;

/** A file that is parsed when it is first needed, and again only when it has changed. */
export interface WatchedFile<Parsed> {
  readonly path: string;
  /**
   * What the file says now. Until it is settled it is read each time, and parsed again only if its bytes are others.
   * @throws Error when the file can't be read; UntrustedFileError for one that is no regular file, or that others may have written
   */
  read(): Parsed;
}

/** How a file is watched. */
export interface WatchOptions<Parsed> {
  /** Stands for a file that isn't there. */
  readonly missing?: () => Parsed;
  /** Who may have written the file; without it, anybody. */
  readonly trust?: Trust;
  /** Milliseconds, by a clock that never steps, and by the wall clock. Only tests have others. */
  readonly clock?: { readonly steady: () => number; readonly wall: () => number };
}

interface Reading<Parsed> {
  readonly stats: BigIntStats;
  readonly parsed: Parsed;
  /** What was parsed, until the file is settled. */
  readonly bytes: Buffer | undefined;
  /** Since when the file has been seen as it is. */
  readonly since: number;
  /** How far the wall clock is ahead of ours. When it is set back, a change may get the times that the file has already. */
  readonly wallAhead: number;
}

/** `parse` gets the bytes as a "binary" string, one character a byte. */
export function watchFile<Parsed>(
  path: string,
  parse: (text: string) => Parsed,
  { missing, trust, clock = { steady: milliseconds, wall: Date.now } }: WatchOptions<Parsed> = {},
): WatchedFile<Parsed> {
  let kept: Reading<Parsed> | undefined;
  const wallAhead = (): number => clock.wall() - clock.steady();

  function readAnew(): Parsed {
    for (let reading = 0; reading < MOST_READINGS; reading++) {
      const started = clock.steady();
      const { bytes, before, after } = readWhole(path, trust);
      // Written to while it was read, or replaced: what was read may be half old, half new.
      if (!isSame(before, after) || !isSame(after, statSync(path, STAT))) continue;
      const parsed = kept?.bytes?.equals(bytes) ? kept.parsed : parse(bytes.toString('latin1'));
      const unchanged = kept !== undefined && isSame(kept.stats, after) && !wasSetBack(kept);
      const since = kept !== undefined && unchanged ? kept.since : clock.steady();
      kept = { stats: after, parsed, bytes: started - since >= SETTLED_AFTER ? undefined : bytes, since, wallAhead: wallAhead() };
      return parsed;
    }
    throw new Error(`${path}: changes faster than it can be read`);
  }

  const wasSetBack = (reading: Reading<Parsed>): boolean => wallAhead() < reading.wallAhead - CLOCK_NOISE;

  return {
    path,
    read() {
      const stats = statSync(path, STAT);
      if (stats === undefined && missing) return missing();
      if (kept !== undefined && kept.bytes === undefined && isSame(kept.stats, stats) && !wasSetBack(kept)) return kept.parsed;
      return readAnew();
    },
  };
}

const STAT = { bigint: true, throwIfNoEntry: false } as const;

/** Whether nobody has touched a file in between. */
function isSame(one: BigIntStats, other: BigIntStats | undefined): boolean {
  return (
    other !== undefined &&
    one.ctimeNs === other.ctimeNs &&
    one.mtimeNs === other.mtimeNs &&
    one.size === other.size &&
    one.ino === other.ino &&
    one.dev === other.dev
  );
}

function readWhole(path: string, trust: Trust | undefined): { bytes: Buffer; before: BigIntStats; after: BigIntStats } {
  const { descriptor, stats: before } = trust === undefined ? openRegularFile(path) : openTrustedFile(path, trust);
  try {
    const bytes = readFileSync(descriptor);
    return { bytes, before, after: fstatSync(descriptor, { bigint: true }) };
  } finally {
    closeSync(descriptor);
  }
}
