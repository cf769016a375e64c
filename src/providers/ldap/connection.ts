import type { ConnectionOptions } from 'node:tls';
import { type Client, type Control, ResultCodeError } from 'ldapts';
import { explain } from '../../support/errors.js';
import { createLimiter } from '../../support/limiter.js';
import type { Logger } from '../../support/log.js';
import { GivenUp, within } from '../../support/within.js';
import { bind, type Credentials, clientOn, describe, type SearchRequest, type SearchResult, searchByPages, searchOn } from './client.js';
import { createDirectory, type Directory } from './directory.js';
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

/** A bound connection that any number of lookups share. It is never repaired: once anything is wrong it is replaced by another. */
export interface Connection {
  readonly endpoint: Endpoint;
  readonly transport: Transport;
  /** Whether a new lookup may start on it. */
  readonly usable: boolean;
  /** What is known of what is behind it. */
  readonly directory: Directory;
  /**
   * All entries: where the server's size limit cuts an answer, the search is made again by pages.
   * @throws LdapError; what the signal was aborted with
   */
  search(request: SearchRequest, signal: AbortSignal): Promise<SearchResult>;
  /** Runs a lookup; the connection stays open until it has ended, retired or not. */
  run<T>(lookup: () => Promise<T>): Promise<T>;
  /** Takes no more lookups; those that are on it may end. */
  retire(): void;
  /** Closes at once; searches without an answer reject. */
  destroy(): void;
}

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
    return share(client, transport, endpoint, settings.searchTimeout, log);
  };
  try {
    return await within(work(), { ms: settings.connectTimeout, what: 'no connection', signal });
  } catch (error) {
    undo.abort();
    throw error;
  }
}

function share(client: Client, transport: Transport, endpoint: Endpoint, timeout: number, log: Logger): Connection {
  let lookups = 0;
  let retired = false;
  let answered = false;
  let heard = performance.now();
  const turns = createLimiter('searches', MAX_IN_FLIGHT, MAX_WAITING);
  // A server keeps one cookie for each connection.
  const pagedTurns = createLimiter('paged searches', 1, MAX_WAITING);
  const { uri } = endpoint;

  const destroy = (): void => {
    retired = true;
    transport.destroy();
  };
  const retire = (): void => {
    retired = true;
    if (lookups === 0) transport.destroy();
  };
  transport.once('close', retire);
  transport.on('data', () => {
    heard = performance.now();
  });
  // An idle connection is no reason for a process to go on; a search is.
  transport.unref();

  /** What became of a search that began at `started`, on a connection that had been idle for so long. */
  const failure = (error: unknown, request: SearchRequest, started: number, idle: number): LdapError => {
    const onceMore = answered ? 'fresh-connection' : 'next-server';
    if (error instanceof ResultCodeError) {
      answered = true;
      const result = resultError(error, request.base, uri, request.atMost !== undefined);
      if (result.verdict !== 'deny') retire();
      return result;
    }
    if (error instanceof GivenUp) {
      // The neighbours may still get their answers.
      retire();
      const forgotten = idle > IDLE && heard < started;
      return new LdapError(`${uri}: ${error.message}`, forgotten ? 'fresh-connection' : 'next-server', { cause: error });
    }
    destroy();
    return new LdapError(`${uri}: ${explain(error)}`, onceMore, { cause: error });
  };

  const searchOnce = async (request: SearchRequest, page?: Control): Promise<SearchResult> => {
    const started = performance.now();
    const idle = started - heard;
    let outcome = '';
    transport.ref();
    try {
      // ldapts would open another connection.
      if (!client.isBound) throw new Error('connection lost');
      const result = await within(searchOn(client, request, timeout, page), { ms: timeout, what: 'no answer to a search' });
      answered = true;
      outcome = `entries=${result.entries.length}`;
      return result;
    } catch (error) {
      const failed = failure(error, request, started, idle);
      outcome = failed.message;
      throw failed;
    } finally {
      if (turns.running === 1) transport.unref();
      const { base, scope, filter } = request;
      log.debug(() => `search base="${base}" scope=${scope} filter=${filter} ${outcome} ${elapsed(started)} ms (${uri})`);
    }
  };

  const search: Connection['search'] = async (request, signal) => {
    const turn = (page?: Control): Promise<SearchResult> => {
      signal.throwIfAborted();
      return turns.run(
        () => searchOnce(request, page),
        () => signal,
      );
    };
    try {
      return await turn();
    } catch (error) {
      // By pages an answer may be whole: 389 Directory Server has limits of their own for these.
      const isCut = codeOf(error) === RESULT.sizeLimit || codeOf(error) === RESULT.adminLimit;
      if (!isCut || request.scope === 'base' || request.atMost !== undefined) throw error;
      return await pagedTurns.run(
        async () => {
          // The late answer to a page that was given up on would end in this search: with the cookie of another user's groups.
          if (retired) throw new LdapError(`${uri}: connection given up`, 'fresh-connection');
          return searchByPages(client, turn);
        },
        () => signal,
      );
    }
  };

  return {
    endpoint,
    transport,
    directory: createDirectory(search, log),
    get usable() {
      return !retired && client.isBound;
    },
    search,
    async run(lookup) {
      lookups++;
      try {
        return await lookup();
      } finally {
        lookups--;
        if (retired) retire();
      }
    },
    retire,
    destroy,
  };
}

function elapsed(since: number): number {
  return Math.round((performance.now() - since) * 100) / 100;
}
