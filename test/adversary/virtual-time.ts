/** A clock that only moves when it is told to, in the place of the process's own: timers, both clocks, AbortSignal.timeout(). */
export interface VirtualTime {
  /** Milliseconds. */
  readonly now: number;
  /** Moves the clock, stopping at each timer that is due on the way. */
  advance(milliseconds: number): Promise<void>;
  /** Lets everything happen that needs no time. */
  settle(): Promise<void>;
  /** Gives the process its clock back. */
  end(): void;
}

interface Timer {
  readonly due: number;
  readonly order: number;
  readonly run: () => void;
}

/** Where the wall clock starts, in milliseconds since 1970. */
const EPOCH = 1_700_000_000_000;

export function startVirtualTime(): VirtualTime {
  let now = 1_000_000;
  let order = 0;
  const timers = new Map<number, Timer>();
  const before = {
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
    hrtime: process.hrtime,
    signal: AbortSignal.timeout,
    date: Date.now,
  };

  const set = (run: (...given: unknown[]) => void, delay = 0, ...given: unknown[]): NodeJS.Timeout => {
    const id = ++order;
    timers.set(id, { due: now + Math.max(1, delay), order: id, run: () => run(...given) });
    const handle = { ref: () => handle, unref: () => handle, hasRef: () => true, [Symbol.toPrimitive]: () => id };
    return handle as unknown as NodeJS.Timeout;
  };
  globalThis.setTimeout = set as unknown as typeof globalThis.setTimeout;
  globalThis.clearTimeout = ((timer: unknown) => {
    if (timer !== undefined && timer !== null) timers.delete(Number(timer));
  }) as typeof globalThis.clearTimeout;
  process.hrtime = Object.assign((): [number, number] => [Math.floor(now / 1000), (now % 1000) * 1e6], { bigint: before.hrtime.bigint });
  Date.now = () => EPOCH + now;
  AbortSignal.timeout = (delay) => {
    const controller = new AbortController();
    set(() => controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError')), delay);
    return controller.signal;
  };

  // setImmediate comes after all promises.
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  return {
    get now() {
      return now;
    },
    settle,
    async advance(milliseconds) {
      const end = now + milliseconds;
      for (;;) {
        let next: Timer | undefined;
        for (const timer of timers.values()) {
          if (timer.due <= end && (next === undefined || timer.due < next.due || (timer.due === next.due && timer.order < next.order)))
            next = timer;
        }
        if (next === undefined) break;
        timers.delete(next.order);
        now = Math.max(now, next.due);
        next.run();
        await settle();
      }
      now = end;
    },
    end() {
      globalThis.setTimeout = before.setTimeout;
      globalThis.clearTimeout = before.clearTimeout;
      process.hrtime = before.hrtime;
      AbortSignal.timeout = before.signal;
      Date.now = before.date;
    },
  };
}
