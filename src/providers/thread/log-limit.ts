import { milliseconds } from '../../support/clock.js';

/** Lines of log that one thread may write within a second. One that logs in an endless loop would fill disk and memory. */
export const LINES_A_SECOND = 500;

/** Says of each line whether it may be written; `dropped` hears afterwards of how many weren't. */
export function createLogLimit(dropped: (count: number) => void, now: () => number = milliseconds): () => boolean {
  let since = now();
  let lines = 0;
  return () => {
    if (now() - since >= 1000) {
      const excess = lines - LINES_A_SECOND;
      since = now();
      lines = 0;
      if (excess > 0) dropped(excess);
    }
    return ++lines <= LINES_A_SECOND;
  };
}
