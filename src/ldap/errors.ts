import { ResultCodeError } from 'ldapts';
import { AclGroupsError } from '../support/errors.js';

/** Result codes of RFC 4511, A.1. */
export const RESULT = {
  timeLimit: 3,
  sizeLimit: 4,
  referral: 10,
  adminLimit: 11,
  unavailableExtension: 12,
  noSuchObject: 32,
  invalidDn: 34,
  insufficientAccess: 50,
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

/** What an error means for a lookup: it fails, or it may succeed on another server, or on the same one by a fresh connection. */
export type Verdict = 'deny' | 'next-server' | 'fresh-connection';

/** A server's refusal, or its silence. */
export class LdapError extends Error {
  override name = 'LdapError';
  readonly verdict: Verdict;
  /** The result of the search (RFC 4511, A.1), if the server answered with one. */
  readonly code: number | undefined;

  constructor(message: string, verdict: Verdict, { code, cause }: { readonly code?: number; readonly cause?: unknown } = {}) {
    super(message, { cause });
    this.verdict = verdict;
    this.code = code;
  }
}

/** The server is there, and says no to us: other servers would say the same, and too many wrong passwords lock an account. */
export class BindRefused extends LdapError {
  override name = 'BindRefused';

  constructor(message: string, cause?: unknown) {
    super(message, 'deny', { cause });
  }
}

/** The one place that decides what an error means. */
export function verdictOf(error: unknown): Verdict {
  if (error instanceof LdapError) return error.verdict;
  // Our own files are wrong for every server.
  return error instanceof AclGroupsError ? 'deny' : 'next-server';
}

/** The code of a search that the server answered with an error. */
export function codeOf(error: unknown): number | undefined {
  return error instanceof LdapError ? error.code : undefined;
}

/** What the failure of a bind means. `who` is bound. */
export function bindError(error: unknown, who: string): unknown {
  if (!(error instanceof ResultCodeError)) return error;
  const what = `bind ${who} refused: ${describeResult(error)}`;
  return REFUSALS.has(error.code) ? new BindRefused(what) : new LdapError(what, 'next-server');
}

/** What a search's result means that is an error. */
export function resultError(error: ResultCodeError, base: string, uri: string, isProbe: boolean): LdapError {
  const what = describeResult(error);
  // What is asked for the sake of a warning may be refused by a server that answers all else.
  if (UNFIT.has(error.code) && !isProbe) return new LdapError(`${uri}: ${what}`, 'next-server');
  return new LdapError(`search in "${base}": ${what}`, 'deny', { code: error.code });
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
