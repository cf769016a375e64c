import type { SrvRecord } from 'node:dns';
import { Resolver } from 'node:dns/promises';
import { explain, ProviderError } from '../../support/errors.js';
import { BindRefused, type Connection, ConnectionLost, type ConnectionSettings, openConnection } from './connection.js';
import { GivenUp, Stop, within } from './deadline.js';
import { type Endpoint, endpointOfService, type Location } from './uri.js';

/** How long a server that failed is left out: milliseconds. */
const DEAD_TIME = 30_000;
/** How long DNS is believed: milliseconds. Node.js doesn't tell how long the answer says. */
const SRV_TIME = 60_000;
/** Until what age an answer is used while DNS is asked again: milliseconds. An older one may be about servers that are no more. */
const SRV_STALE_TIME = 600_000;

/** Asks DNS for the SRV records of a name. */
export type ResolveSrv = (name: string) => Promise<readonly SrvRecord[]>;

export interface ServersSettings extends ConnectionSettings {
  readonly starttls: boolean;
  readonly resolveSrv?: ResolveSrv | undefined;
}

/** The configured servers, of which the first one that works is used. */
export interface Servers {
  /**
   * Runs a lookup on a shared connection; once more on another one, if the connection is lost on the way.
   * So an answer always comes from one server as a whole.
   * @throws ProviderError when no server can be used, and what `lookup` throws
   */
  run<T>(lookup: (connection: Connection) => Promise<T>, stop: Stop): Promise<T>;
  /** All servers, DNS asked. */
  endpoints(stop: Stop): Promise<readonly Endpoint[]>;
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
}

export function createServers(locations: readonly Location[], settings: ServersSettings): Servers {
  const closing = new AbortController();
  const closed = new Stop(closing.signal);
  const known = new Map<string, Server>();
  const domains = new Map<string, Domain>();

  const endpoints = async (stop: Stop): Promise<readonly Endpoint[]> => {
    const lists = await Promise.allSettled(
      locations.map((location) => {
        if (location.kind !== 'srv') return [location];
        const domain = domains.get(location.domain) ?? createDomain(location.domain, settings);
        domains.set(location.domain, domain);
        return domain(stop);
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
  const leaveOut = (server: Server, message: string, isNews: boolean = server.deadUntil === 0): void => {
    if (isNews && known.size > 1) settings.log.warning(`ldap: ${message}; left out for a while`);
    server.deadUntil = performance.now() + DEAD_TIME;
  };

  /** The one connection to a server, opened once however many wait for it. Not bound to any one login's signal. */
  const connect = (server: Server): Promise<Connection> => {
    if (server.connection?.usable) return Promise.resolve(server.connection);
    server.opening ??= openConnection(server.endpoint, settings, closed)
      .then((connection) => {
        server.connection = connection;
        if (server.deadUntil > 0) settings.log.info(`ldap: ${server.endpoint.uri}: connected again`);
        server.deadUntil = 0;
        return connection;
      })
      .catch((error: unknown) => {
        // Here, because whoever waits may have less time than the connection.
        if (!(error instanceof BindRefused)) leaveOut(server, `${server.endpoint.uri}: ${explain(error)}`);
        throw error;
      })
      .finally(() => {
        server.opening = undefined;
      });
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
      if (server.opening !== undefined) continue;
      void connect(server).catch((error: unknown) => {
        // An account may be locked for being refused too often.
        if (error instanceof BindRefused) leaveOut(server, `${server.endpoint.uri}: ${explain(error)}`, true);
      });
    }
    return [...servers.filter((server) => !doubtful.includes(server)), ...doubtful];
  };

  /** A connection, with the caller counted in. */
  const acquire = async (stop: Stop): Promise<Connection> => {
    const all = (await endpoints(stop)).map(serverOf);
    const now = performance.now();
    const alive = all.filter(({ deadUntil }) => deadUntil <= now);
    const failures: string[] = [];
    let cause: unknown;
    let silent = true;
    for (const server of inOrder(alive.length > 0 ? alive : all)) {
      try {
        const connection = await within(connect(server), { ms: settings.connectTimeout, what: 'no connection', stop });
        if (!connection.usable) throw new ConnectionLost('the server closed the connection', { silent: false });
        // Whoever is still on the others ends there; nothing new begins on a server of lower rank while a better one is up.
        for (const other of all) if (other !== server) other.connection?.retire();
        connection.enter();
        return connection;
      } catch (error) {
        if (stop.aborted || error instanceof BindRefused) throw failure(`${server.endpoint.uri}: ${explain(error)}`, error);
        failures.push(`${server.endpoint.uri}: ${explain(error)}`);
        cause = error;
        silent &&= error instanceof GivenUp;
      }
    }
    const left = all.length - failures.length;
    const rest = left > 0 ? `; ${left} left out after a failure less than ${DEAD_TIME / 1000} s ago` : '';
    throw new ProviderError('ldap', `no server can be used: ${failures.join('; ')}${rest}`, { cause, timedOut: silent });
  };

  return {
    endpoints,
    async run(lookup, stop) {
      for (let again = false; ; again = true) {
        const connection = await acquire(stop);
        try {
          return await lookup(connection);
        } catch (error) {
          if (!(error instanceof ConnectionLost)) throw error;
          const server = serverOf(connection.endpoint);
          if (error.silent || error.unfit) leaveOut(server, error.message);
          // A server that is silent now would be silent again: worth another try only where there is another server.
          const others = (await endpoints(stop)).some((endpoint) => endpoint.uri !== connection.endpoint.uri);
          if (again || stop.aborted || (error.silent && !others)) throw failure(error.message, error);
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
  const timedOut = cause instanceof GivenUp || (cause instanceof ConnectionLost && cause.silent);
  return new ProviderError('ldap', message, { cause, timedOut });
}

type Domain = (stop: Stop) => Promise<readonly Endpoint[]>;

/** The servers of a domain, by RFC 2782 and RFC 2052's rule for the name. Asked once for all who wait, and then once a minute, on the side. */
function createDomain(domain: string, settings: ServersSettings): Domain {
  const name = `_ldap._tcp.${domain}`;
  const resolveSrv = settings.resolveSrv ?? systemResolver(settings.connectTimeout);
  let answer: readonly Endpoint[] | undefined;
  let asking: Promise<readonly Endpoint[]> | undefined;
  let since = 0;
  const ask = async (): Promise<readonly Endpoint[]> => {
    try {
      const records = await within(resolveSrv(name), { ms: settings.connectTimeout, what: 'no answer' });
      // A target of "." says that there is no such service.
      const found = ranked(records).filter((record) => record.name !== '' && record.name !== '.');
      if (found.length === 0) throw new Error('DNS names no server');
      answer = found.map((record) => endpointOfService(domain, record.name, record.port, settings.starttls));
    } catch (error) {
      // Servers that were right a while ago are better than none, and TLS knows an impostor.
      if (answer === undefined)
        throw new ProviderError('ldap', `SRV ${name}: ${explain(error)}`, { cause: error, timedOut: error instanceof GivenUp });
      settings.log.debug(`SRV ${name}: ${explain(error)}; going on with the last answer`);
    }
    since = performance.now();
    return answer;
  };
  return (stop) => {
    const age = performance.now() - since;
    if (answer !== undefined && age < SRV_TIME) return Promise.resolve(answer);
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    if (answer !== undefined && age < SRV_STALE_TIME) return Promise.resolve(answer);
    return within(asking, { ms: settings.connectTimeout, what: `SRV ${name}: no answer`, stop });
  };
}

function systemResolver(timeout: number): ResolveSrv {
  const resolver = new Resolver({ timeout: Math.max(1, Math.floor(timeout / 2)), tries: 2 });
  return (name) => resolver.resolveSrv(name);
}

/** In the order to try them: by priority, and within one at random by weight (RFC 2782). `random` is for tests. */
export function ranked(records: readonly SrvRecord[], random: () => number = Math.random): readonly SrvRecord[] {
  const result: SrvRecord[] = [];
  const left = [...records].sort((a, b) => a.priority - b.priority || a.weight - b.weight);
  while (left.length > 0) {
    const rivals = left.filter(({ priority }) => priority === left[0]?.priority);
    const total = rivals.reduce((sum, { weight }) => sum + weight, 0);
    let point = random() * total;
    const chosen =
      rivals.find(({ weight }) => {
        point -= weight;
        return point < 0;
      }) ?? rivals[rivals.length - 1];
    if (chosen === undefined) break;
    result.push(chosen);
    left.splice(left.indexOf(chosen), 1);
  }
  return result;
}
