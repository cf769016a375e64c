import { type BigIntStats, closeSync, fstatSync, openSync, readFileSync, statSync } from 'node:fs';

/**
 * How old a change has to be before a file's times can be trusted to show the next one, in milliseconds. The kernel stamps times by
 * its clock tick, so that a second change in the same tick leaves the times as they are.
 */
const SETTLED_AFTER = 100;
const MOST_READINGS = 10;

/** A file that is parsed when it is first needed, and again only when stat(2) shows that it has changed. */
export interface WatchedFile<Parsed> {
  readonly path: string;
  /** @throws Error when the file can't be read */
  read(): Parsed;
}

/** `parse` gets the bytes as a "binary" string, one character a byte; `missing` stands for a file that isn't there. */
export function watchFile<Parsed>(path: string, parse: (text: string) => Parsed, missing?: () => Parsed): WatchedFile<Parsed> {
  let kept: { readonly stats: BigIntStats; readonly parsed: Parsed } | undefined;

  function readAnew(): Parsed {
    for (let reading = 0; reading < MOST_READINGS; reading++) {
      // Taken before: a file that takes long to read has not become more settled by that.
      const now = Date.now();
      const { text, before, after } = readWhole(path);
      // Written to while it was read, or replaced: what was read may be half old, half new.
      if (!isSame(before, after) || !isSame(after, statSync(path, STAT))) continue;
      const parsed = parse(text);
      kept = now - Number(after.ctimeMs) > SETTLED_AFTER ? { stats: after, parsed } : undefined;
      return parsed;
    }
    throw new Error(`${path}: changes faster than it can be read`);
  }

  return {
    path,
    read() {
      const stats = statSync(path, STAT);
      if (stats === undefined && missing) return missing();
      if (kept !== undefined && isSame(kept.stats, stats)) return kept.parsed;
      kept = undefined;
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

function readWhole(path: string): { readonly text: string; readonly before: BigIntStats; readonly after: BigIntStats } {
  const descriptor = openSync(path, 'r');
  try {
    const before = fstatSync(descriptor, { bigint: true });
    const text = readFileSync(descriptor).toString('latin1');
    return { text, before, after: fstatSync(descriptor, { bigint: true }) };
  } finally {
    closeSync(descriptor);
  }
}
