import { ResultCodeError } from 'ldapts';
import { ConfigError, ProviderError } from '../../support/errors.js';

/** Result codes of RFC 4511, A.1. */
export const RESULT = {
  timeLimit: 3,
  sizeLimit: 4,
  adminLimit: 11,
  referral: 10,
  unavailableExtension: 12,
  noSuchObject: 32,
  invalidDn: 34,
  busy: 51,
  unavailable: 52,
  unwilling: 53,
} as const;

/**
 * The results of a bind that are about who we are (RFC 4511, A.1): authMethodNotSupported, strongerAuthRequired,
 * confidentialityRequired, inappropriateAuthentication, invalidCredentials, insufficientAccessRights. All else is about the server.
 */
const REFUSALS: ReadonlySet<number> = new Set([7, 8, 13, 48, 49, 50]);

/** Results by which a server says that it can't answer, though another one may. */
const UNFIT: ReadonlySet<number> = new Set([RESULT.busy, RESULT.unavailable, RESULT.unwilling]);

/** Something took longer than it may, or the login that asked for it is over. */
export class GivenUp extends Error {
  override name = 'GivenUp';
}

/** What can be done about a server that gave no answer: ask another one, or the same one on a fresh connection first. */
export type Remedy = 'next-server' | 'fresh-connection';

/** There is no answer, but there may be one elsewhere. */
export class NoAnswer extends Error {
  override name = 'NoAnswer';
  readonly remedy: Remedy;
  /** Whether it was silence, and not an error. */
  readonly silent: boolean;

  constructor(message: string, remedy: Remedy, options: ErrorOptions & { silent?: boolean } = {}) {
    super(message, options);
    this.remedy = remedy;
    this.silent = options.silent ?? false;
  }
}

/** The server is there, and says no to us: other servers would say the same, and too many wrong passwords lock an account. */
export class BindRefused extends Error {
  override name = 'BindRefused';
}

/** A search that the server answered with an error. It has all that ldapts' error had, in words. */
export class SearchFailed extends Error {
  override name = 'SearchFailed';
  /** The result code of RFC 4511, A.1. */
  readonly code: number;

  constructor(message: string, code: number) {
    super(message);
    this.code = code;
  }
}

/** What an error means for a lookup: the one place that decides. */
export function verdictOf(error: unknown): 'deny' | Remedy {
  if (error instanceof NoAnswer) return error.remedy;
  // What the server answered is an answer, our own files are wrong for every server, and so may our password be.
  if (error instanceof SearchFailed || error instanceof ProviderError || error instanceof ConfigError || error instanceof BindRefused)
    return 'deny';
  return 'next-server';
}

/** What the failure of a bind means. `who` is bound. */
export function bindError(error: unknown, who: string): unknown {
  if (!(error instanceof ResultCodeError)) return error;
  const what = `bind ${who} refused: ${describeResult(error)}`;
  return REFUSALS.has(error.code) ? new BindRefused(what) : new Error(what);
}

/** What a search's result means that is an error. */
export function resultError(error: ResultCodeError, base: string, uri: string, isProbe: boolean): SearchFailed | NoAnswer {
  const what = describeResult(error);
  // What is asked for the sake of a warning may be refused by a server that answers all else.
  if (UNFIT.has(error.code) && !isProbe) return new NoAnswer(`${uri}: ${what}`, 'next-server');
  return new SearchFailed(`search in "${base}": ${what}`, error.code);
}

/** A result code in words. The text that servers add is often empty, and ldapts then has none of its own. */
function describeResult(error: ResultCodeError): string {
  if (error.code === RESULT.referral) return 'the server refers to another one (result 10), and referrals are not followed';
  const words = error.name
    .replace(/Error$/, '')
    .replace(/(?!^)([A-Z][a-z])/g, ' $1')
    .toLowerCase();
  const detail = error.message.replace(/\s*Code: 0x[0-9a-f]+$/, '');
  return `${words} (result ${error.code})${detail === '' ? '' : `: ${detail}`}`;
}

/** What ends a wait. */
export interface Limits {
  /** Milliseconds. */
  readonly ms: number;
  /** What was waited for, as a message says it: "no answer to a search". */
  readonly what: string;
  /** Ends the wait early, for a lookup that is over. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Settles as `work` does, but within the limits.
 * @throws GivenUp when a limit is reached; `work` goes on unheeded then, and it is for the caller to end it
 */
export function within<T>(work: Promise<T>, { ms, what, signal }: Limits): Promise<T> {
  return new Promise((resolve, reject) => {
    const settled = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', aborted);
    };
    const giveUp = (message: string, cause?: unknown): void => {
      settled();
      reject(new GivenUp(message, { cause }));
    };
    const aborted = (): void => giveUp(`${what} before the time for the whole lookup was over`, signal?.reason);
    const timer = setTimeout(() => giveUp(`${what} within ${ms} ms`), ms);
    signal?.addEventListener('abort', aborted);
    if (signal?.aborted) aborted();
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
