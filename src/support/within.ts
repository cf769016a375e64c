/** Something took longer than it may, or whoever asked for it is gone. */
export class GivenUp extends Error {
  override name = 'GivenUp';
}

/** What ends a wait. */
export interface Limits {
  /** Milliseconds; without it, only the signal ends the wait. */
  readonly ms?: number;
  /** What was waited for, as a message says it: "no answer to a search". */
  readonly what: string;
  /** Ends the wait early. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Settles as `work` does, but within the limits.
 * @throws GivenUp when a limit is reached; `work` goes on unheeded then, and it is for the caller to end it
 */
export function within<T>(work: Promise<T>, { ms, what, signal }: Limits): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = (message: string): void => reject(new GivenUp(`${what} ${message}`, { cause: signal?.reason }));
    const aborted = (): void => giveUp('before the time for the whole lookup was over');
    const timer = ms === undefined ? undefined : setTimeout(() => giveUp(`within ${ms} ms`), ms);
    signal?.addEventListener('abort', aborted, { once: true });
    if (signal?.aborted) aborted();
    work.then(resolve, reject).finally(() => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', aborted);
    });
  });
}

/** Whether it was a time limit that made an error, at whatever depth. */
export function isTimeout(error: unknown): boolean {
  return error instanceof GivenUp || (error instanceof Error && isTimeout(error.cause));
}
