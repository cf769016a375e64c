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
  let kept: { readonly state: string; readonly parsed: Parsed } | undefined;

  function readAnew(): Parsed {
    for (let reading = 0; reading < MOST_READINGS; reading++) {
      const { text, state, changed } = readWhole(path);
      // Written to while it was read, or replaced: what was read may be half old, half new.
      if (state === undefined || state !== stateOf(statSync(path, STAT))) continue;
      const parsed = parse(text);
      kept = Date.now() - changed > SETTLED_AFTER ? { state, parsed } : undefined;
      return parsed;
    }
    throw new Error(`${path}: changes faster than it can be read`);
  }

  return {
    path,
    read() {
      const stats = statSync(path, STAT);
      if (stats === undefined && missing) return missing();
      if (kept !== undefined && stats !== undefined && stateOf(stats) === kept.state) return kept.parsed;
      kept = undefined;
      return readAnew();
    },
  };
}

const STAT = { bigint: true, throwIfNoEntry: false } as const;

function stateOf(stats: BigIntStats | undefined): string | undefined {
  return stats && `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}`;
}

function readWhole(path: string): { readonly text: string; readonly state: string | undefined; readonly changed: number } {
  const descriptor = openSync(path, 'r');
  try {
    const before = fstatSync(descriptor, { bigint: true });
    const text = readFileSync(descriptor).toString('latin1');
    const after = stateOf(fstatSync(descriptor, { bigint: true }));
    return { text, state: after === stateOf(before) ? after : undefined, changed: Number(before.ctimeMs) };
  } finally {
    closeSync(descriptor);
  }
}
