import { Client, type Filter, ResultCodeError } from 'ldapts';
import { ConfigError, explain } from '../../support/errors.js';
import type { Logger } from '../../support/log.js';
import { GivenUp, type Stop, within } from './deadline.js';
import { Entry } from './entry.js';
import type { TlsSettings } from './tls.js';
import { openTransport, type Transport } from './transport.js';
import type { Endpoint } from './uri.js';

/** Who to be. Asked for at each opening, so that a changed password file counts from then on. */
export type Credentials =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'external' }
  | { readonly kind: 'simple'; readonly dn: string; readonly password: () => string };

export interface ConnectionSettings {
  readonly credentials: Credentials;
  readonly tls: TlsSettings;
  /** Milliseconds for TCP, TLS and bind together. */
  readonly connectTimeout: number;
  /** Milliseconds for the answer to one search. */
  readonly searchTimeout: number;
  readonly log: Logger;
}

export interface SearchRequest {
  readonly base: string;
  readonly scope: 'base' | 'sub';
  readonly filter: Filter;
  readonly attributes: readonly string[];
  /** Those of the attributes that aren't texts. */
  readonly binary?: readonly string[];
}

/** This connection is of no more use; another one may be. */
export class ConnectionLost extends Error {
  override name = 'ConnectionLost';
  /** Whether it is silence that ended it: then the same server is not worth another try now. */
  readonly silent: boolean;
  /** Whether the server takes connections and answers no search on them: another server may. */
  readonly unfit: boolean;

  constructor(message: string, options: ErrorOptions & { silent: boolean; unfit?: boolean }) {
    super(message, options);
    this.silent = options.silent;
    this.unfit = options.unfit ?? false;
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

/**
 * The results of a bind that are about who we are (RFC 4511, A.1): authMethodNotSupported, strongerAuthRequired,
 * confidentialityRequired, inappropriateAuthentication, invalidCredentials, insufficientAccessRights. All else is about the server.
 */
const REFUSALS: ReadonlySet<number> = new Set([7, 8, 13, 48, 49, 50]);

/** Result codes of RFC 4511, A.1. */
export const RESULT = { timeLimit: 3, sizeLimit: 4, referral: 10, noSuchObject: 32, invalidDn: 34, busy: 51, unavailable: 52 } as const;

/** OpenLDAP closes a connection with more unanswered requests than conn_max_pending, 100 unless the administrator says otherwise. */
const MAX_IN_FLIGHT = 64;

/** A bound connection that any number of lookups share. It is never mended: once anything is wrong it is replaced by another. */
export interface Connection {
  readonly endpoint: Endpoint;
  readonly transport: Transport;
  /** Whether a new lookup may start on it. */
  readonly usable: boolean;
  /**
   * @throws SearchFailed when the server's answer is an error
   * @throws ConnectionLost when there is no answer
   * @throws GivenUp when the lookup is over
   */
  search(request: SearchRequest, stop: Stop): Promise<readonly Entry[]>;
  /** Counts a lookup in. */
  enter(): void;
  /** Counts a lookup out; the last one turns off the light, if the connection is retired. */
  leave(): void;
  /** Takes no more lookups; those that are on it may end. */
  retire(): void;
  /** Closes at once; searches without an answer reject. */
  destroy(): void;
}

/** Connects and binds, in one time limit. @throws BindRefused, ConfigError, or any other error for a server that can't be used */
export async function openConnection(endpoint: Endpoint, settings: ConnectionSettings, stop: Stop): Promise<Connection> {
  const undo = new AbortController();
  const started = performance.now();
  const work = async (): Promise<Connection> => {
    const transport = await openTransport(endpoint, settings.tls, undo.signal);
    undo.signal.addEventListener('abort', () => transport.destroy());
    if (undo.signal.aborted) transport.destroy();
    const client = clientOn(transport);
    await bind(client, settings.credentials);
    settings.log.debug(`${endpoint.uri}: connected, bound ${describe(settings.credentials)}, ${elapsed(started)} ms`);
    return share(client, transport, endpoint, settings);
  };
  try {
    return await within(work(), { ms: settings.connectTimeout, what: 'no connection', stop });
  } catch (error) {
    undo.abort();
    throw error;
  }
}

/** A client that speaks over this socket and no other: ldapts would open a new one when it is gone, unbound and in plain text. */
function clientOn(transport: Transport): Client {
  let taken = false;
  return new Client({
    url: 'ldap://localhost',
    createConnection: () => {
      if (taken || transport.readyState !== 'open') throw new Error('the connection is closed');
      taken = true;
      return transport;
    },
  });
}

async function bind(client: Client, credentials: Credentials): Promise<void> {
  try {
    if (credentials.kind === 'external') await client.bindSASL('EXTERNAL');
    else if (credentials.kind === 'simple') await client.bind(credentials.dn, credentials.password());
    // Sent, though the protocol doesn't ask for it: a server that allows no anonymous access says so here.
    else await client.bind('', '');
  } catch (error) {
    if (error instanceof ConfigError || !(error instanceof ResultCodeError)) throw error;
    const what = `bind ${describe(credentials)} refused: ${describeResult(error)}`;
    throw REFUSALS.has(error.code) ? new BindRefused(what) : new Error(what);
  }
}

function share(client: Client, transport: Transport, endpoint: Endpoint, settings: ConnectionSettings): Connection {
  let lookups = 0;
  let inFlight = 0;
  let retired = false;
  let answered = false;
  const queue: (() => void)[] = [];

  const destroy = (): void => {
    retired = true;
    transport.destroy();
  };
  const retire = (): void => {
    retired = true;
    if (lookups === 0) destroy();
  };
  transport.once('close', retire);
  // An idle connection is no reason for a process to go on; a search is.
  transport.unref();

  const free = (): void => {
    // Handed over, so that nobody who comes later gets it.
    const next = queue.shift();
    if (next !== undefined) {
      next();
      return;
    }
    inFlight--;
    if (inFlight === 0) transport.unref();
  };
  const slot = async (stop: Stop): Promise<void> => {
    if (inFlight < MAX_IN_FLIGHT) {
      inFlight++;
      transport.ref();
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const give = (): void => {
        stop.remove(leave);
        resolve();
      };
      const leave = (): void => {
        stop.remove(leave);
        queue.splice(queue.indexOf(give), 1);
        reject(new GivenUp('no turn for a search before the time for the whole lookup was over', { cause: stop.reason }));
      };
      queue.push(give);
      stop.add(leave);
    });
  };

  const send = async (request: SearchRequest, stop: Stop): Promise<readonly Entry[]> => {
    if (!client.isBound) throw new ConnectionLost(`${endpoint.uri}: connection lost`, { silent: false, unfit: !answered });
    const { searchEntries } = await within(
      client.search(request.base, {
        scope: request.scope,
        filter: request.filter,
        attributes: [...request.attributes],
        explicitBufferAttributes: [...(request.binary ?? [])],
        // Without a size limit of ours: ldapts takes one that is reached for success. The server's own is an error, as it should be.
        timeLimit: Math.ceil(settings.searchTimeout / 1000),
      }),
      { ms: settings.searchTimeout, what: 'no answer to a search', stop },
    );
    return searchEntries.map((entry) => new Entry(entry));
  };

  return {
    endpoint,
    transport,
    get usable() {
      return !retired && client.isBound;
    },
    async search(request, stop) {
      if (stop.aborted) throw new GivenUp('the time for the whole lookup was over', { cause: stop.reason });
      await slot(stop);
      const started = performance.now();
      let outcome = 'failed';
      try {
        const entries = await send(request, stop);
        answered = true;
        outcome = `entries=${entries.length}`;
        return entries;
      } catch (error) {
        if (error instanceof ResultCodeError && error.code !== RESULT.busy && error.code !== RESULT.unavailable) {
          answered = true;
          outcome = describeResult(error);
          throw new SearchFailed(`search in "${request.base}": ${outcome}`, error.code);
        }
        outcome = explain(error);
        if (error instanceof GivenUp) {
          // An answer that comes now would find nobody. The neighbours may still get theirs.
          retire();
          if (stop.aborted) throw error;
          throw new ConnectionLost(`${endpoint.uri}: ${error.message}`, { silent: true, cause: error });
        }
        if (error instanceof ResultCodeError) retire();
        else destroy();
        if (error instanceof ConnectionLost) throw error;
        // A server may say that it is busy, or can't, as often as it is asked.
        const unfit = !answered || error instanceof ResultCodeError;
        throw new ConnectionLost(`${endpoint.uri}: ${outcome}`, { silent: false, unfit, cause: error });
      } finally {
        free();
        settings.log.debug(
          () =>
            `search base="${request.base}" scope=${request.scope} filter=${request.filter} ${outcome} ${elapsed(started)} ms (${endpoint.uri})`,
        );
      }
    },
    enter() {
      lookups++;
    },
    leave() {
      lookups--;
      if (retired) retire();
    },
    retire,
    destroy,
  };
}

/** Who we are, without the password. */
export function describe(credentials: Credentials): string {
  if (credentials.kind === 'anonymous') return 'anonymously';
  return credentials.kind === 'external' ? 'by SASL EXTERNAL' : `as "${credentials.dn}"`;
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

function elapsed(since: number): number {
  return Math.round((performance.now() - since) * 100) / 100;
}
