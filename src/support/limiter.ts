/** Lets so many tasks run at a time, and so many wait. */
export interface Limiter {
  /**
   * Runs a task when its turn comes. `signal` makes what ends the wait; it is called for a task that has to wait.
   * @throws Error when too many wait already; what the signal was aborted with, if that comes first
   */
  run<Value>(task: () => Promise<Value>, signal: () => AbortSignal): Promise<Value>;
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
      try {
        return await task();
      } finally {
        next();
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
