import { setMaxListeners } from 'node:events';
import { explain, ProviderError } from '../../support/errors.js';
import { type Connection, type ConnectionSettings, openConnection } from './connection.js';
import { BindRefused, GivenUp, NoAnswer, verdictOf, within } from './errors.js';
import { createDomain, type Domain, type ResolveSrv } from './srv.js';
import type { Endpoint, Location } from './uri.js';

/** How long a server that failed is skipped: milliseconds. */
const DEAD_TIME = 30_000;
/** How long a server that refused our bind isn't asked again, after the first, second and each further time: milliseconds. Too many wrong passwords lock an account. */
const REFUSED_TIMES = [300_000, 1_800_000, 3_600_000] as const;

export interface ServersSettings extends ConnectionSettings {
  readonly starttls: boolean;
  readonly resolveSrv?: ResolveSrv | undefined;
  /** Says by another text that a file of credentials has changed. */
  readonly stamp: () => string;
}

/** The configured servers, of which the first one that works is used. */
export interface Servers {
  /**
   * Runs a lookup on a shared connection; from its start on another one, if there is no answer on the way.
   * So an answer always comes from one server as a whole.
   * @throws ProviderError when no server can be used, and what `lookup` throws
   */
  run<T>(lookup: (connection: Connection) => Promise<T>, signal: AbortSignal): Promise<T>;
  /** All servers, DNS asked. */
  endpoints(signal: AbortSignal): Promise<readonly Endpoint[]>;
  /** Closes all connections. */
  close(): void;
}

/** What is known of one server. */
interface Server {
  readonly endpoint: Endpoint;
  opening?: Promise<Connection> | undefined;
  connection?: Connection | undefined;
  /** When it may be tried again; 0 for a server that nothing is known against. */
  deadUntil: number;
  /** That it refused our bind. */
  refused?: { readonly error: BindRefused; readonly times: number; readonly until: number; readonly stamp: string } | undefined;
}

export function createServers(locations: readonly Location[], settings: ServersSettings): Servers {
  const closing = new AbortController();
  // Each opening listens.
  setMaxListeners(0, closing.signal);
  const known = new Map<string, Server>();
  const domains = new Map<string, Domain>();

  const endpoints = async (signal: AbortSignal): Promise<readonly Endpoint[]> => {
    const lists = await Promise.allSettled(
      locations.map((location) => {
        if (location.kind !== 'srv') return [location];
        const domain = domains.get(location.domain) ?? createDomain(location.domain, settings);
        domains.set(location.domain, domain);
        return domain(signal);
      }),
    );
    const found = lists.flatMap((list) => (list.status === 'fulfilled' ? list.value : []));
    // Servers that DNS can't name are no reason to do without those that are named here.
    for (const list of lists) {
      if (list.status !== 'rejected') continue;
      if (found.length === 0) throw list.reason;
      settings.log.warning(`${explain(list.reason)}; going on with the other servers`);
    }
    return found;
  };

  const serverOf = (endpoint: Endpoint): Server => {
    const server = known.get(endpoint.uri) ?? { endpoint, deadUntil: 0 };
    known.set(endpoint.uri, server);
    return server;
  };

  /** One line for as long as it lasts, and not for each login. Without a second server, each login fails and says so. */
  const skip = (server: Server, message: string, isNews: boolean = server.deadUntil === 0): void => {
    if (isNews && known.size > 1) settings.log.warning(`ldap: ${message}; skipped for ${DEAD_TIME / 1000} s`);
    server.deadUntil = performance.now() + DEAD_TIME;
  };

  /** Remembers a refusal, and says when the next try will be. */
  const refuse = (server: Server, error: BindRefused): BindRefused => {
    const stamp = settings.stamp();
    const times = server.refused?.stamp === stamp ? server.refused.times + 1 : 1;
    const time = REFUSED_TIMES[Math.min(times, REFUSED_TIMES.length) - 1] ?? 0;
    const next = `not tried again for ${time / 60_000} min, unless the file of the password or certificate changes`;
    const refused = new BindRefused(`${error.message}; ${next}`, { cause: error.cause });
    server.refused = { error: refused, times, until: performance.now() + time, stamp };
    return refused;
  };

  const isRefused = ({ refused }: Server): boolean =>
    refused !== undefined && performance.now() < refused.until && settings.stamp() === refused.stamp;

  const open = async (server: Server): Promise<Connection> => {
    try {
      const connection = await openConnection(server.endpoint, settings, closing.signal);
      if (known.get(server.endpoint.uri) !== server) connection.retire();
      server.connection = connection;
      if (server.deadUntil > 0) settings.log.info(`ldap: ${server.endpoint.uri}: connected again`);
      server.deadUntil = 0;
      server.refused = undefined;
      return connection;
    } catch (error) {
      if (error instanceof BindRefused) throw refuse(server, error);
      // Here, because whoever waits may have less time than the connection.
      skip(server, `${server.endpoint.uri}: ${explain(error)}`);
      throw error;
    } finally {
      server.opening = undefined;
    }
  };

  /** The one connection to a server, opened once however many wait for it. Not bound to any one login's signal. */
  const connect = (server: Server): Promise<Connection> => {
    if (server.connection?.usable) return Promise.resolve(server.connection);
    if (server.refused !== undefined && isRefused(server)) return Promise.reject(server.refused.error);
    server.opening ??= open(server);
    return server.opening;
  };

  /**
   * The servers as one login is to try them. Whether one that failed is back is found out on the side, while there is a connection to
   * another one: nobody has to wait for it.
   */
  const inOrder = (servers: readonly Server[]): readonly Server[] => {
    const first = servers.findIndex(({ connection }) => connection?.usable);
    const doubtful = servers.slice(0, Math.max(0, first)).filter(({ deadUntil }) => deadUntil > 0);
    for (const server of doubtful) {
      if (server.opening !== undefined || isRefused(server)) continue;
      void connect(server).catch((error: unknown) => {
        if (error instanceof BindRefused) skip(server, `${server.endpoint.uri}: ${explain(error)}`, true);
      });
    }
    return [...servers.filter((server) => !doubtful.includes(server)), ...doubtful];
  };

  /** The servers there are now. What DNS doesn't name any more is let go. */
  const current = async (signal: AbortSignal): Promise<readonly Server[]> => {
    const servers = (await endpoints(signal)).map(serverOf);
    for (const [uri, server] of known) {
      if (servers.includes(server)) continue;
      server.connection?.retire();
      known.delete(uri);
    }
    return servers;
  };

  /** A connection, with the caller counted in, to none of the servers that had no answer for him. */
  const acquire = async (signal: AbortSignal, unfit: ReadonlySet<string>): Promise<Connection> => {
    const all = (await current(signal)).filter(({ endpoint }) => !unfit.has(endpoint.uri));
    const now = performance.now();
    const alive = all.filter(({ deadUntil }) => deadUntil <= now);
    const failures: string[] = [];
    let cause: unknown;
    let silent = true;
    for (const server of inOrder(alive.length > 0 ? alive : all)) {
      try {
        const connection = await within(connect(server), { ms: settings.connectTimeout, what: 'no connection', signal });
        if (!connection.usable) throw new Error('the server closed the connection');
        // Whoever is still on the others ends there; nothing new begins on a server of lower rank while a better one is up.
        for (const other of all) if (other !== server) other.connection?.retire();
        connection.enter();
        return connection;
      } catch (error) {
        if (signal.aborted || verdictOf(error) === 'deny') throw failure(`${server.endpoint.uri}: ${explain(error)}`, error);
        failures.push(`${server.endpoint.uri}: ${explain(error)}`);
        cause = error;
        silent &&= error instanceof GivenUp;
      }
    }
    const left = all.length - failures.length;
    const rest = left > 0 ? `; ${left} skipped after a failure less than ${DEAD_TIME / 1000} s ago` : '';
    throw new ProviderError('ldap', `no server can be used: ${failures.join('; ')}${rest}`, { cause, timedOut: silent });
  };

  return {
    endpoints,
    async run(lookup, signal) {
      const unfit = new Set<string>();
      const refreshed = new Set<string>();
      for (;;) {
        const connection = await acquire(signal, unfit);
        const { uri } = connection.endpoint;
        try {
          return await lookup(connection);
        } catch (error) {
          const verdict = verdictOf(error);
          if (!(error instanceof NoAnswer) || verdict === 'deny') throw error;
          if (signal.aborted) throw failure(error.message, error);
          connection.retire();
          if (verdict === 'next-server' || refreshed.has(uri)) {
            skip(serverOf(connection.endpoint), error.message.startsWith(uri) ? error.message : `${uri}: ${error.message}`);
            unfit.add(uri);
            if ((await endpoints(signal)).every((endpoint) => unfit.has(endpoint.uri))) throw failure(error.message, error);
          }
          refreshed.add(uri);
          settings.log.debug(`${error.message}; trying once more`);
        } finally {
          connection.leave();
        }
      }
    },
    close() {
      // With a reason, because making the standard one costs as much as a search.
      closing.abort('the provider is closed');
      for (const { connection } of known.values()) connection?.destroy();
    },
  };
}

function failure(message: string, cause: unknown): ProviderError {
  const timedOut = cause instanceof GivenUp || (cause instanceof NoAnswer && cause.silent);
  return new ProviderError('ldap', message, { cause, timedOut });
}
