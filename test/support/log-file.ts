import { closeSync, openSync, readSync, watch, writeFileSync } from 'node:fs';

/** A log file that is being written by somebody else. */
export interface LogFile {
  /** Complete lines so far, without their line ends. */
  readonly lines: readonly string[];
  /** The first line that matches, at or after the given index; waits for it. Rejects when the log is closed first. */
  wait(pattern: RegExp, from?: number): Promise<string>;
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
  return {
    lines,
    wait: (pattern, from = 0) =>
      new Promise((resolve, reject) => {
        let next = from;
        const check = (): void => {
          for (; next < lines.length; next += 1) {
            const line = lines[next] ?? '';
            if (!pattern.test(line)) continue;
            waiting.delete(check);
            resolve(line);
            return;
          }
          if (closed === undefined) return;
          waiting.delete(check);
          reject(new Error(`no log line matches ${pattern}: ${closed}; the log:\n${lines.slice(from).join('\n')}`));
        };
        waiting.add(check);
        check();
      }),
    close: (reason) => {
      if (closed !== undefined) return;
      watcher.close();
      closed = reason;
      drain();
      closeSync(descriptor);
    },
  };
}
