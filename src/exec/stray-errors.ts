import { EXIT, explain } from '../support/errors.js';
import type { Logger } from '../support/log.js';

/** What became of errors that nobody caught. */
export interface StrayErrors {
  /** How many. With one, an answer may not be what the provider meant. */
  count: number;
}

/**
 * Handles what a provider throws where nobody catches it, rejections included, as a failure of a provider: an error in the log, and by
 * `onError` the end of the process.
 */
export function handleStrayErrors(user: string, onError: 'deny' | 'continue', log: Logger): Readonly<StrayErrors> {
  const stray: StrayErrors = { count: 0 };
  process.removeAllListeners('uncaughtException').on('uncaughtException', (error: unknown) => {
    stray.count++;
    const consequence = onError === 'deny' ? 'login denied' : 'going on without what it was for';
    log.error(`${user}: an error that no provider caught: ${explain(error)}${placeOf(error)}; ${consequence} (on_error = "${onError}")`);
    if (onError === 'deny') process.exit(EXIT.temporary);
  });
  return stray;
}

/** Where it was thrown, by which its module can be told. */
function placeOf(error: unknown): string {
  const [, place] = (error instanceof Error && /^ +at (.+)$/m.exec(error.stack ?? '')) || [];
  return place === undefined ? '' : ` (at ${place})`;
}
