/** Keeps a task's place until a promise has settled, for a task that answers before all that it started has ended. */
export type Hold = (until: Promise<unknown>) => void;

/** Lets so many tasks run at a time, and so many wait. */
export interface Limiter {
  /**
   * Runs a task when its turn comes, and gives its result as soon as there is one. `signal` makes what ends the wait; it is called for a
   * task that has to wait, and is nothing to a task that runs.
   *
   * A task has its place for as long as it really runs: until its promise has settled, and every promise that it gave to `hold`. So a task
   * that stops waiting for something that doesn't heed its signal (a race against a deadline) has to hold that: what was given up on
   * still has its connection, its process or its memory, and without counting it there would soon be any number.
   * @throws Error when too many wait already; what the signal was aborted with, if that comes first; what the task throws
   */
  run<Value>(task: (hold: Hold) => Promise<Value>, signal: () => AbortSignal): Promise<Value>;
  /** Places taken, those of tasks that have answered included. */
  readonly running: number;
  readonly waiting: number;
}

/** `what` names the tasks in messages. */
export function createLimiter(what: string, most: number, mostWaiting: number): Limiter {
  let running = 0;
  // In the order of their coming; a turn is passed on by calling it.
  const waiting = new Set<() => void>();

  async function turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (waiting.size >= mostWaiting) throw new Error(`too many ${what}: ${most} are running and ${mostWaiting} waiting`);
    await new Promise<void>((resolve, reject) => {
      const start = (): void => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = (): void => {
        waiting.delete(start);
        reject(signal.reason);
      };
      waiting.add(start);
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }

  function next(): void {
    const [start] = waiting;
    if (start === undefined) {
      running--;
      return;
    }
    waiting.delete(start);
    start();
  }

  return {
    async run(task, signal) {
      if (running < most) running++;
      else await turn(signal());
      const held: Promise<unknown>[] = [];
      try {
        return await task((until) => held.push(until));
      } finally {
        if (held.length === 0) next();
        else void Promise.allSettled(held).then(next);
      }
    },
    get running() {
      return running;
    },
    get waiting() {
      return waiting.size;
    },
  };
}
