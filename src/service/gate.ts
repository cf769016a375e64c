import { AclGroupsError, EXIT } from '../errors.js';

/** Lets a bounded number of tasks run at a time, and a bounded number wait. */
export interface Gate {
  /**
   * Runs the task as soon as there is room; it is told how many milliseconds of its `timeout` are left.
   * @throws GateError when too many wait already, or when the whole timeout went by in waiting
   */
  run<Result>(timeout: number, task: (left: number) => Promise<Result>): Promise<Result>;
  readonly running: number;
  readonly waiting: number;
}

/** There was no room for a task, now or in time. */
export class GateError extends AclGroupsError {
  override name = 'GateError';

  constructor(message: string) {
    super(message, EXIT.temporary);
  }
}

interface Waiter {
  readonly enter: () => void;
}

/** A gate for `maxRunning` tasks, with room for `maxWaiting` before it. They go in by order of arrival. */
export function createGate(maxRunning: number, maxWaiting: number, now: () => number): Gate {
  let running = 0;
  // A Set keeps the order, and lets one that gives up leave from the middle.
  const waiters = new Set<Waiter>();

  function wait(timeout: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter = {
        enter: () => {
          clearTimeout(timer);
          resolve();
        },
      };
      const timer = setTimeout(() => {
        waiters.delete(waiter);
        reject(new GateError(`no lookup could be started within ${timeout} ms: ${maxRunning} are under way`));
      }, timeout);
      waiters.add(waiter);
    });
  }

  return {
    async run(timeout, task) {
      let left = timeout;
      if (running < maxRunning) running++;
      else {
        if (waiters.size >= maxWaiting) throw new GateError(`too many lookups: ${maxRunning} are under way and ${maxWaiting} wait`);
        const since = now();
        // Whoever leaves hands its place on, so that the count stays as it is.
        await wait(timeout);
        left = Math.max(1, Math.floor(timeout - (now() - since)));
      }
      try {
        return await task(left);
      } finally {
        const [next] = waiters;
        if (next === undefined) running--;
        else {
          waiters.delete(next);
          next.enter();
        }
      }
    },
    get running() {
      return running;
    },
    get waiting() {
      return waiters.size;
    },
  };
}
