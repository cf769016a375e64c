import type { ConnectionOptions } from 'node:tls';
import { type Client, ResultCodeError } from 'ldapts';
import { explain } from '../../support/errors.js';
import { createLimiter } from '../../support/limiter.js';
import type { Logger } from '../../support/log.js';
import {
  bind,
  type Credentials,
  clientOn,
  describe,
  onCookie,
  PageRequest,
  type SearchRequest,
  type SearchResult,
  searchOn,
} from './client.js';
import { createDirectory, type Directory } from './directory.js';
import type { Entry } from './entry.js';
import { GivenUp, NoAnswer, RESULT, resultError, SearchFailed, within } from './errors.js';
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
  readonly log: Logger;
}

/** OpenLDAP closes a connection with more unanswered requests than conn_max_pending, 100 unless the administrator says otherwise. */
const MAX_IN_FLIGHT = 64;
/** What waits for a turn are searches of lookups, which are bounded already. */
const MAX_WAITING = Number.POSITIVE_INFINITY;
/** Results of an answer that may be whole by pages: 389 Directory Server has limits of their own for these. */
const CUT_OFF: ReadonlySet<number> = new Set([RESULT.sizeLimit, RESULT.adminLimit]);
/** Silence on a connection where nothing was said for so long may be a firewall's that has forgotten it: milliseconds. */
const IDLE = 10_000;

/** A bound connection that any number of lookups share. It is never repaired: once anything is wrong it is replaced by another. */
export interface Connection {
  readonly endpoint: Endpoint;
  readonly transport: Transport;
  /** What is known of what is behind it. */
  readonly directory: Directory;
  /** Whether a new lookup may start on it. */
  readonly usable: boolean;
  /**
   * All entries: where the server's size limit cuts an answer, the search is made again by pages.
   * @throws SearchFailed when the server's answer is an error
   * @throws NoAnswer when there is no answer
   * @throws GivenUp when the lookup is over
   */
  search(request: SearchRequest, signal: AbortSignal): Promise<SearchResult>;
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
export async function openConnection(endpoint: Endpoint, settings: ConnectionSettings, signal: AbortSignal): Promise<Connection> {
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
    return await within(work(), { ms: settings.connectTimeout, what: 'no connection', signal });
  } catch (error) {
    undo.abort();
    throw error;
  }
}

function share(client: Client, transport: Transport, endpoint: Endpoint, settings: ConnectionSettings): Connection {
  let lookups = 0;
  let retired = false;
  let answered = false;
  let heard = performance.now();
  const page: { cookie?: Buffer | undefined } = {};
  const turns = createLimiter('searches', MAX_IN_FLIGHT, MAX_WAITING);
  // A server keeps one cookie for each connection.
  const pagedTurns = createLimiter('paged searches', 1, MAX_WAITING);

  const destroy = (): void => {
    retired = true;
    transport.destroy();
  };
  const retire = (): void => {
    retired = true;
    if (lookups === 0) destroy();
  };
  transport.once('close', retire);
  transport.on('data', () => {
    heard = performance.now();
  });
  onCookie(client, (next) => {
    page.cookie = next;
  });
  // An idle connection is no reason for a process to go on; a search is.
  transport.unref();

  const send = async (request: SearchRequest, signal: AbortSignal, control?: PageRequest): Promise<SearchResult> => {
    if (!client.isBound) throw new NoAnswer(`${endpoint.uri}: connection lost`, answered ? 'fresh-connection' : 'next-server');
    const work = searchOn(client, request, Math.ceil(settings.searchTimeout / 1000), control);
    return within(work, { ms: settings.searchTimeout, what: 'no answer to a search', signal });
  };

  const searchOnce = async (request: SearchRequest, signal: AbortSignal, control?: PageRequest): Promise<SearchResult> => {
    const started = performance.now();
    const idle = started - heard;
    let outcome = 'failed';
    transport.ref();
    try {
      const result = await send(request, signal, control);
      answered = true;
      outcome = `entries=${result.entries.length}`;
      return result;
    } catch (error) {
      outcome = explain(error);
      if (error instanceof ResultCodeError) {
        answered = true;
        const failure = resultError(error, request.base, endpoint.uri, request.atMost !== undefined);
        outcome = failure.message;
        if (failure instanceof NoAnswer) retire();
        throw failure;
      }
      if (error instanceof GivenUp) {
        // An answer that comes now would find nobody. The neighbours may still get theirs.
        retire();
        if (signal.aborted) throw error;
        const forgotten = idle > IDLE && heard < started;
        throw new NoAnswer(`${endpoint.uri}: ${error.message}`, forgotten ? 'fresh-connection' : 'next-server', {
          silent: true,
          cause: error,
        });
      }
      destroy();
      if (error instanceof NoAnswer) throw error;
      throw new NoAnswer(`${endpoint.uri}: ${outcome}`, answered ? 'fresh-connection' : 'next-server', { cause: error });
    } finally {
      if (turns.running === 1) transport.unref();
      settings.log.debug(
        () =>
          `search base="${request.base}" scope=${request.scope} filter=${request.filter} ${outcome} ${elapsed(started)} ms (${endpoint.uri})`,
      );
    }
  };

  const search = async (request: SearchRequest, signal: AbortSignal, control?: PageRequest): Promise<SearchResult> => {
    if (signal.aborted) throw new GivenUp('the time for the whole lookup was over', { cause: signal.reason });
    return turns.run(
      () => searchOnce(request, signal, control),
      () => signal,
    );
  };

  const searchByPages = async (request: SearchRequest, signal: AbortSignal): Promise<SearchResult> => {
    const entries: Entry[] = [];
    const references: string[] = [];
    page.cookie = undefined;
    do {
      const result = await search(request, signal, new PageRequest(page.cookie));
      entries.push(...result.entries);
      references.push(...result.references);
    } while (page.cookie !== undefined);
    return { entries, references };
  };

  const connection: Connection = {
    endpoint,
    transport,
    directory: createDirectory((request, signal) => connection.search(request, signal), settings.log),
    get usable() {
      return !retired && client.isBound;
    },
    async search(request, signal) {
      try {
        return await search(request, signal);
      } catch (error) {
        if (!(error instanceof SearchFailed && CUT_OFF.has(error.code) && request.scope === 'sub' && request.atMost === undefined))
          throw error;
        return await pagedTurns.run(
          () => searchByPages(request, signal),
          () => signal,
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
  return connection;
}

function elapsed(since: number): number {
  return Math.round((performance.now() - since) * 100) / 100;
}
