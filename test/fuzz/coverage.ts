import { Session } from 'node:inspector';

/** Which characters of the program's code have run, by V8's own block coverage. */
export interface Coverage {
  /** How many characters have run now that never had; they count as known from now on, unless it is only a look. */
  take(lookOnly?: boolean): number;
  /** How many characters have ever run. */
  readonly known: number;
  stop(): void;
}

interface Script {
  readonly url: string;
  readonly functions: readonly { readonly ranges: readonly { startOffset: number; endOffset: number; count: number }[] }[];
}

/** Counts in scripts whose address holds `part`. Code runs at about half its speed meanwhile. */
export function startCoverage(part: string): Coverage {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  const known = new Map<string, Uint8Array>();
  let total = 0;

  /** Outer ranges come first, and inner ones that have not run take their part out again. */
  function paint({ functions }: Script): Uint8Array {
    const ranges = functions.flatMap((one) => one.ranges).sort((a, b) => a.startOffset - b.startOffset || b.endOffset - a.endOffset);
    const length = ranges.reduce((most, { endOffset }) => Math.max(most, endOffset), 0);
    const ran = new Uint8Array(length);
    for (const { startOffset, endOffset, count } of ranges) ran.fill(count > 0 ? 1 : 0, startOffset, endOffset);
    return ran;
  }

  return {
    take(lookOnly = false) {
      let scripts: readonly Script[] = [];
      // Answers at once: the session is of this thread.
      session.post('Profiler.takePreciseCoverage', (error, answer) => {
        if (error !== null) throw error;
        scripts = answer.result;
      });
      let found = 0;
      for (const script of scripts) {
        if (!script.url.includes(part)) continue;
        const ran = paint(script);
        const before = known.get(script.url) ?? new Uint8Array(0);
        const after = new Uint8Array(Math.max(before.length, ran.length));
        after.set(before);
        for (let at = 0; at < ran.length; at++) {
          if (ran[at] !== 1 || after[at] === 1) continue;
          after[at] = 1;
          found++;
        }
        if (!lookOnly) known.set(script.url, after);
      }
      if (!lookOnly) total += found;
      return found;
    },
    get known() {
      return total;
    },
    stop() {
      session.post('Profiler.stopPreciseCoverage');
      session.disconnect();
    },
  };
}
