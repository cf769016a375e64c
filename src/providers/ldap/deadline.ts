/** Something took longer than it may, or the login that asked for it is over. */
export class GivenUp extends Error {
  override name = 'GivenUp';
}

/** Tells many waits of one lookup that it is over. One listener on the signal does for them all: Node.js takes many for a leak. */
export class Stop {
  readonly #signal: AbortSignal;
  readonly #waiting = new Set<() => void>();
  readonly #abort = (): void => {
    for (const wake of [...this.#waiting]) wake();
  };

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', this.#abort);
  }

  get aborted(): boolean {
    return this.#signal.aborted;
  }

  get reason(): unknown {
    return this.#signal.reason;
  }

  /** Calls `wake` when the lookup is over, unless it is taken off before. */
  add(wake: () => void): void {
    this.#waiting.add(wake);
  }

  remove(wake: () => void): void {
    this.#waiting.delete(wake);
  }

  /** Lets go of the signal. */
  end(): void {
    this.#signal.removeEventListener('abort', this.#abort);
  }
}

/** What ends a wait. */
export interface Limits {
  /** Milliseconds. */
  readonly ms: number;
  /** What was waited for, as a message says it: "no answer to a search". */
  readonly what: string;
  /** Ends the wait early, for a lookup that is over. */
  readonly stop?: Stop | undefined;
}

/**
 * Settles as `work` does, but within the limits.
 * @throws GivenUp when a limit is reached; `work` goes on unheeded then, and it is for the caller to end it
 */
export function within<T>(work: Promise<T>, { ms, what, stop }: Limits): Promise<T> {
  return new Promise((resolve, reject) => {
    const settled = (): void => {
      clearTimeout(timer);
      stop?.remove(aborted);
    };
    const giveUp = (message: string, cause?: unknown): void => {
      settled();
      reject(new GivenUp(message, { cause }));
    };
    const aborted = (): void => giveUp(`${what} before the time for the whole lookup was over`, stop?.reason);
    const timer = setTimeout(() => giveUp(`${what} within ${ms} ms`), ms);
    stop?.add(aborted);
    if (stop?.aborted) aborted();
    work.then(
      (value) => {
        settled();
        resolve(value);
      },
      (error: unknown) => {
        settled();
        reject(error);
      },
    );
  });
}
