import { closeSync, openSync, readSync, watch, writeFileSync } from 'node:fs';

/** A log file that is being written by somebody else. */
export interface LogFile {
  /** Complete lines so far, without their line ends. */
  readonly lines: readonly string[];
  /** The first line that matches, at or after the given index; waits for it. Rejects when the log is closed first. */
  wait(pattern: RegExp, from?: number): Promise<string>;
  /** What `find` returns once it is something; asks again when there are more lines. Rejects when the log is closed first. */
  until<Found>(find: () => Found | undefined, what: string): Promise<Found>;
  /** Stops watching; lines stay readable, and who still waits is told `reason`. */
  close(reason: string): void;
}

/** Creates an empty file and follows it by inotify. */
export function followLog(path: string): LogFile {
  writeFileSync(path, '', { mode: 0o666 });
  const descriptor = openSync(path, 'r');
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const chunk = Buffer.alloc(1 << 16);
  let rest = Buffer.alloc(0);
  let closed: string | undefined;
  const drain = (): void => {
    for (let count = readSync(descriptor, chunk); count > 0; count = readSync(descriptor, chunk)) {
      rest = Buffer.concat([rest, chunk.subarray(0, count)]);
      const end = rest.lastIndexOf(10);
      if (end < 0) continue;
      lines.push(...rest.toString('utf8', 0, end).split('\n'));
      rest = Buffer.from(rest.subarray(end + 1));
    }
    for (const check of [...waiting]) check();
  };
  const watcher = watch(path, drain);
  const until = <Found>(find: () => Found | undefined, what: string): Promise<Found> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        const found = find();
        if (found === undefined && closed === undefined) return;
        waiting.delete(check);
        if (found !== undefined) resolve(found);
        else reject(new Error(`the log has no ${what}: ${closed}; the log:\n${lines.join('\n')}`));
      };
      waiting.add(check);
      check();
    });
  return {
    lines,
    until,
    wait: (pattern, from = 0) => {
      let next = from;
      return until(() => {
        for (; next < lines.length; next += 1) if (pattern.test(lines[next] ?? '')) return lines[next];
        return undefined;
      }, `a line like ${pattern}`);
    },
    close: (reason) => {
      if (closed !== undefined) return;
      watcher.close();
      closed = reason;
      drain();
      closeSync(descriptor);
    },
  };
}
