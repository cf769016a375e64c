/** Has faults come by lot, several at a time. */
import { setTimeout as pass } from 'node:timers/promises';
import type { Draw } from './draw.js';
import { directoryFaults } from './faults/directory.js';
import type { Fault } from './faults/fault.js';
import { machineFaults } from './faults/machine.js';
import { serviceFaults } from './faults/service.js';
import type { Stage } from './stage.js';

const FAULTS: readonly Fault[] = [...directoryFaults, ...serviceFaults, ...machineFaults];

/** Faults that may last at the same time. */
const MOST = 3;
/** Milliseconds. */
const LONGEST = 6000;
const LONGEST_PAUSE = 2500;

/** Milliseconds in which any fault has come and gone. Without such an end, one that doesn't find its end would be the last. */
const OVERDUE = 120_000;

function inTime(fault: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const overdue = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it has not ended within ${OVERDUE} ms`)), OVERDUE);
  });
  return Promise.race([fault, overdue]).finally(() => clearTimeout(timer));
}

/** Faults that come by lot until told to stop. `onFailure` hears of one that couldn't be made, or not be ended. */
export function blow(stage: Stage, draw: Draw, onFailure: (error: unknown) => void): { stop(): Promise<void> } {
  const ending = new AbortController();
  const running = new Map<string, Promise<void>>();
  const possible = FAULTS.filter((fault) => fault.isPossible?.(stage) !== false);
  /** Each comes once before any comes again. */
  let left: Fault[] = [];
  const wait = (milliseconds: number): Promise<void> => pass(milliseconds, undefined, { signal: ending.signal }).catch(() => {});

  function next(): Fault | undefined {
    if (left.length === 0) left = [...possible];
    const free = left.filter(({ subject }) => !running.has(subject));
    if (free.length === 0) return undefined;
    const fault = draw.of(free);
    left.splice(left.indexOf(fault), 1);
    return fault;
  }

  const loop = (async () => {
    while (!ending.signal.aborted) {
      // Now and then all is quiet, for longer than anything is felt.
      if (draw.below(8) === 0) {
        await Promise.all(running.values());
        await wait(8000);
      }
      await wait(draw.between(0, LONGEST_PAUSE));
      if (ending.signal.aborted || running.size >= MOST) continue;
      const fault = next();
      if (fault === undefined) continue;
      const duration = draw.between(LONGEST / 6, LONGEST);
      const done = inTime(fault.run(stage, () => wait(duration), draw))
        .catch((error: unknown) => onFailure(new Error(`the fault "${fault.name}"`, { cause: error })))
        .finally(() => running.delete(fault.subject));
      running.set(fault.subject, done);
    }
    await Promise.all(running.values());
  })();
  return {
    async stop() {
      ending.abort();
      await loop;
    },
  };
}
