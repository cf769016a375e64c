import type { ConnectionOptions } from 'node:tls';
import { type Client, type Control, ResultCodeError } from 'ldapts';
import { explain } from '../support/errors.js';
import { createLimiter } from '../support/limiter.js';
import type { Logger } from '../support/log.js';
import { GivenUp, within } from '../support/within.js';
import { bind, type Credentials, clientOn, describe, type SearchRequest, type SearchResult, searchByPages, searchOn } from './client.js';
import { codeOf, LdapError, RESULT, resultError } from './errors.js';
import { openTransport, type Transport } from './socket.js';
import type { Endpoint } from './uri.js';

export interface ConnectionSettings {
  readonly credentials: Credentials;
  /** Reads the files of certificates. */
  readonly tls: () => ConnectionOptions;
  /** Milliseconds for TCP, TLS and bind together. */
  readonly connectTimeout: number;
  /** Milliseconds for the answer to one search. */
  readonly searchTimeout: number;
}

/** OpenLDAP closes a connection with more unanswered requests than conn_max_pending, 100 unless the administrator says otherwise. */
const MAX_IN_FLIGHT = 64;
/** What waits for a turn are searches of lookups, which are bounded already. */
const MAX_WAITING = Number.POSITIVE_INFINITY;
/** Silence on a connection where nothing was said for so long may be a firewall's that has forgotten it: milliseconds. */
const IDLE = 10_000;

/** Connects and binds, in one time limit. @throws BindRefused, ConfigError, or any other error for a server that can't be used */
export async function openConnection(
  endpoint: Endpoint,
  settings: ConnectionSettings,
  log: Logger,
  signal: AbortSignal,
): Promise<Connection> {
  const undo = new AbortController();
  const started = performance.now();
  const work = async (): Promise<Connection> => {
    const transport = await openTransport(endpoint, settings.tls, undo.signal);
    undo.signal.addEventListener('abort', () => transport.destroy());
    if (undo.signal.aborted) transport.destroy();
    const client = clientOn(transport);
    await bind(client, settings.credentials);
    log.debug(`${endpoint.uri}: connected, bound ${describe(settings.credentials)}, ${elapsed(started)} ms`);
    return new Connection(client, transport, endpoint, settings.searchTimeout, log);
  };
  try {
    return await within(work(), { ms: settings.connectTimeout, what: 'no connection', signal });
  } catch (error) {
    undo.abort();
    throw error;
  }
}

/** A bound connection that any number of lookups share. It is never repaired: once anything is wrong it is replaced by another. */
export class Connection {
  readonly endpoint: Endpoint;
  readonly transport: Transport;
  readonly #client: Client;
  readonly #timeout: number;
  readonly #log: Logger;
  readonly #turns = createLimiter('searches', MAX_IN_FLIGHT, MAX_WAITING);
  /** A server keeps one cookie for each connection. */
  readonly #pagedTurns = createLimiter('paged searches', 1, MAX_WAITING);
  #lookups = 0;
  #retired = false;
  #answered = false;
  #heard = performance.now();

  constructor(client: Client, transport: Transport, endpoint: Endpoint, timeout: number, log: Logger) {
    this.endpoint = endpoint;
    this.transport = transport;
    this.#client = client;
    this.#timeout = timeout;
    this.#log = log;
    transport.once('close', () => this.retire());
    transport.on('data', () => {
      this.#heard = performance.now();
    });
    // An idle connection is no reason for a process to go on; a search is.
    transport.unref();
  }

  /** Whether a new lookup may start on it. */
  get usable(): boolean {
    return !this.#retired && this.#client.isBound;
  }

  /** Runs a lookup; the connection stays open until it has ended, retired or not. */
  async run<T>(lookup: () => Promise<T>): Promise<T> {
    this.#lookups++;
    try {
      return await lookup();
    } finally {
      this.#lookups--;
      if (this.#retired) this.retire();
    }
  }

  /** Takes no more lookups; those that are on it may end. */
  retire(): void {
    this.#retired = true;
    if (this.#lookups === 0) this.transport.destroy();
  }

  /** Closes at once; searches without an answer reject. */
  destroy(): void {
    this.#retired = true;
    this.transport.destroy();
  }

  /**
   * All entries: where the server's size limit cuts an answer, the search is made again by pages.
   * @throws LdapError; what the signal was aborted with
   */
  async search(request: SearchRequest, signal: AbortSignal): Promise<SearchResult> {
    const turn = (page?: Control): Promise<SearchResult> => {
      signal.throwIfAborted();
      return this.#turns.run(
        () => this.#searchOnce(request, page),
        () => signal,
      );
    };
    try {
      return await turn();
    } catch (error) {
      // By pages an answer may be whole: 389 Directory Server has limits of their own for these.
      const isCut = codeOf(error) === RESULT.sizeLimit || codeOf(error) === RESULT.adminLimit;
      if (!isCut || request.scope === 'base' || request.atMost !== undefined) throw error;
    }
    return await this.#pagedTurns.run(
      async () => {
        // The late answer to a page that was given up on would end in this search: with the cookie of another user's groups.
        if (this.#retired) throw new LdapError(`${this.endpoint.uri}: connection given up`, 'fresh-connection');
        return searchByPages(this.#client, turn);
      },
      () => signal,
    );
  }

  async #searchOnce(request: SearchRequest, page?: Control): Promise<SearchResult> {
    const started = performance.now();
    const idle = started - this.#heard;
    let outcome = '';
    this.transport.ref();
    try {
      // ldapts would open another connection.
      if (!this.#client.isBound) throw new Error('connection lost');
      const search = searchOn(this.#client, request, this.#timeout, page);
      const result = await within(search, { ms: this.#timeout, what: 'no answer to a search' });
      this.#answered = true;
      outcome = `entries=${result.entries.length}`;
      return result;
    } catch (error) {
      const failed = this.#failure(error, request, started, idle);
      outcome = failed.message;
      throw failed;
    } finally {
      if (this.#turns.running === 1) this.transport.unref();
      const { base, scope, filter } = request;
      const { uri } = this.endpoint;
      this.#log.debug(() => `search base="${base}" scope=${scope} filter=${filter} ${outcome} ${elapsed(started)} ms (${uri})`);
    }
  }

  /** What became of a search that began at `started`, on a connection that had been idle for so long. */
  #failure(error: unknown, request: SearchRequest, started: number, idle: number): LdapError {
    const { uri } = this.endpoint;
    if (error instanceof ResultCodeError) {
      this.#answered = true;
      const result = resultError(error, request.base, uri, request.atMost !== undefined);
      if (result.verdict !== 'deny') this.retire();
      return result;
    }
    if (error instanceof GivenUp) {
      // The neighbours may still get their answers.
      this.retire();
      const forgotten = idle > IDLE && this.#heard < started;
      return new LdapError(`${uri}: ${error.message}`, forgotten ? 'fresh-connection' : 'next-server', { cause: error });
    }
    this.destroy();
    return new LdapError(`${uri}: ${explain(error)}`, this.#answered ? 'fresh-connection' : 'next-server', { cause: error });
  }
}

function elapsed(since: number): number {
  return Math.round((performance.now() - since) * 100) / 100;
}
