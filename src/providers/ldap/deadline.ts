/** Something took longer than it may, or the login that asked for it is over. */
export class GivenUp extends Error {
  override name = 'GivenUp';
}

/** What ends a wait. */
export interface Limits {
  /** Milliseconds. */
  readonly ms: number;
  /** What was waited for, as a message says it: "no answer to a search". */
  readonly what: string;
  /** Ends the wait early, for a login that is over. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Settles as `work` does, but within the limits.
 * @throws GivenUp when a limit is reached; `work` goes on unheeded then, and it is for the caller to end it
 */
export function within<T>(work: Promise<T>, { ms, what, signal }: Limits): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => giveUp(`${what} within ${ms} ms`), ms);
    const aborted = (): void => giveUp(`${what} before the time for the whole lookup was over`, signal?.reason);
    const settled = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', aborted);
    };
    const giveUp = (message: string, cause?: unknown): void => {
      settled();
      reject(new GivenUp(message, { cause }));
    };
    work.then(resolve, reject).finally(settled);
    if (signal?.aborted) aborted();
    else signal?.addEventListener('abort', aborted);
  });
}
