import { setMaxListeners } from 'node:events';
import { explain } from '../support/errors.js';
import type { Logger } from '../support/log.js';
import { createService, type ResolveSrv } from '../support/srv.js';
import { within } from '../support/within.js';
import { type Connection, type ConnectionSettings, openConnection } from './connection.js';
import { BindRefused, LdapError, verdictOf } from './errors.js';
import { type Endpoint, endpointOfService, type Location } from './uri.js';

/** How long a server that failed is skipped: milliseconds. */
const DEAD_TIME = 30_000;
/** How long a server that refused our bind isn't asked again, in minutes, after the given number of refusals: too many wrong passwords lock an account. */
const refusedMinutes = (times: number): number => Math.min(5 * 6 ** (times - 1), 60);

export interface ServersSettings extends ConnectionSettings {
  readonly locations: readonly Location[];
  readonly starttls: boolean;
  /** Says by another text that a file of credentials has changed. */
  readonly stamp: () => string;
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

/** The configured servers, of which the first one that works is used. */
export class Servers {
  readonly #settings: ServersSettings;
  readonly #log: Logger;
  readonly #closing = new AbortController();
  readonly #known = new Map<string, Server>();
  readonly #sources: readonly (() => Promise<readonly Endpoint[]>)[];

  /** `resolveSrv` replaces DNS in tests. */
  constructor(settings: ServersSettings, log: Logger, resolveSrv?: ResolveSrv) {
    this.#settings = settings;
    this.#log = log;
    // Each opening listens.
    setMaxListeners(0, this.#closing.signal);
    this.#sources = settings.locations.map((location) => {
      if (location.kind !== 'srv') return () => Promise.resolve([location]);
      const { domain } = location;
      const service = createService(`_ldap._tcp.${domain}`, settings.connectTimeout, resolveSrv);
      return async () => (await service()).map(({ name, port }) => endpointOfService(domain, name, port, settings.starttls));
    });
  }

  /**
   * Runs a lookup on a shared connection; from its start on another one, if there is no answer on the way.
   * So an answer always comes from one server as a whole.
   * @throws LdapError when no server can be used, and what `lookup` throws
   */
  async run<T>(lookup: (connection: Connection) => Promise<T>, signal: AbortSignal): Promise<T> {
    const unfit = new Set<string>();
    const refreshed = new Set<string>();
    for (;;) {
      const connection = await this.#acquire(signal, unfit);
      const { uri } = connection.endpoint;
      try {
        return await connection.run(() => lookup(connection));
      } catch (error) {
        if (!(error instanceof LdapError) || error.verdict === 'deny' || signal.aborted) throw error;
        connection.retire();
        const { message, verdict } = error;
        if (verdict === 'next-server' || refreshed.has(uri)) {
          const server = this.#serverOf(connection.endpoint);
          this.#skip(server, message.startsWith(uri) ? message : `${uri}: ${message}`, server.deadUntil === 0);
          unfit.add(uri);
          if ([...this.#known.keys()].every((other) => unfit.has(other))) throw error;
        }
        refreshed.add(uri);
        this.#log.debug(`${message}; trying once more`);
      }
    }
  }

  /** All servers, DNS asked. */
  async endpoints(): Promise<readonly Endpoint[]> {
    const lists = await Promise.allSettled(this.#sources.map((source) => source()));
    const found = lists.flatMap((list) => (list.status === 'fulfilled' ? list.value : []));
    // Servers that DNS can't name are no reason to do without those that are named here.
    for (const list of lists) {
      if (list.status !== 'rejected') continue;
      if (found.length === 0) throw list.reason;
      this.#log.warning(`ldap: ${explain(list.reason)}; going on with the other servers`);
    }
    return found;
  }

  /** Closes all connections. */
  close(): void {
    // With a reason, because making the standard one costs as much as a search.
    this.#closing.abort('the provider is closed');
    for (const { connection } of this.#known.values()) connection?.destroy();
  }

  /** A connection to none of the servers that had no answer for this login. */
  async #acquire(signal: AbortSignal, unfit: ReadonlySet<string>): Promise<Connection> {
    const all = (await this.#current()).filter(({ endpoint }) => !unfit.has(endpoint.uri));
    const alive = all.filter(({ deadUntil }) => deadUntil <= performance.now());
    const failures: string[] = [];
    let cause: unknown;
    for (const server of this.#inOrder(alive.length > 0 ? alive : all)) {
      signal.throwIfAborted();
      const { uri } = server.endpoint;
      try {
        const connection = await within(this.#connect(server), { ms: this.#settings.connectTimeout, what: 'no connection' });
        if (!connection.usable) throw new Error('the server closed the connection');
        // Whoever is still on the others ends there; nothing new begins on a server of lower rank while a better one is up.
        for (const other of all) if (other !== server) other.connection?.retire();
        return connection;
      } catch (error) {
        if (verdictOf(error) === 'deny') throw new LdapError(`${uri}: ${explain(error)}`, 'deny', { cause: error });
        failures.push(`${uri}: ${explain(error)}`);
        cause = error;
      }
    }
    const left = all.length - failures.length;
    const rest = left > 0 ? `; ${left} skipped after a failure less than ${DEAD_TIME / 1000} s ago` : '';
    throw new LdapError(`no server can be used: ${failures.join('; ')}${rest}`, 'deny', { cause });
  }

  /** The servers there are now. What DNS doesn't name any more is closed. */
  async #current(): Promise<readonly Server[]> {
    const servers = (await this.endpoints()).map((endpoint) => this.#serverOf(endpoint));
    for (const [uri, server] of this.#known) {
      if (servers.includes(server)) continue;
      server.connection?.retire();
      this.#known.delete(uri);
    }
    return servers;
  }

  #serverOf(endpoint: Endpoint): Server {
    const server = this.#known.get(endpoint.uri) ?? { endpoint, deadUntil: 0 };
    this.#known.set(endpoint.uri, server);
    return server;
  }

  /** The servers as one login is to try them. Whether a better one than the connected is back, no login waits for. */
  #inOrder(servers: readonly Server[]): readonly Server[] {
    const connected = servers.findIndex(({ connection }) => connection?.usable);
    const doubtful = servers.filter(({ deadUntil }, rank) => deadUntil > 0 && rank < connected);
    for (const server of doubtful) this.#connect(server).catch(() => undefined);
    return [...servers.filter((server) => !doubtful.includes(server)), ...doubtful];
  }

  /** The one connection to a server, opened once however many wait for it. Not bound to any one login's signal. */
  #connect(server: Server): Promise<Connection> {
    const { connection, refused } = server;
    if (connection?.usable) return Promise.resolve(connection);
    if (refused !== undefined && performance.now() < refused.until && this.#settings.stamp() === refused.stamp)
      return Promise.reject(refused.error);
    server.opening ??= this.#open(server);
    return server.opening;
  }

  async #open(server: Server): Promise<Connection> {
    const { uri } = server.endpoint;
    try {
      const connection = await openConnection(server.endpoint, this.#settings, this.#log, this.#closing.signal);
      if (this.#known.get(uri) !== server) connection.retire();
      server.connection = connection;
      if (server.deadUntil > 0) this.#log.info(`ldap: ${uri}: connected again`);
      server.deadUntil = 0;
      server.refused = undefined;
      return connection;
    } catch (error) {
      // Here, because whoever waits may have less time than the connection.
      const failure = error instanceof BindRefused ? this.#refuse(server, error) : error;
      const isRefusal = failure instanceof BindRefused;
      // A password that one server refuses isn't tried on the next one; only those that are connected go on.
      if (!isRefusal || [...this.#known.values()].some(({ connection }) => connection?.usable))
        this.#skip(server, `${uri}: ${explain(failure)}`, isRefusal || server.deadUntil === 0);
      throw failure;
    } finally {
      server.opening = undefined;
    }
  }

  /** Remembers a refusal, and says when the next try will be. */
  #refuse(server: Server, error: BindRefused): BindRefused {
    const stamp = this.#settings.stamp();
    const times = server.refused?.stamp === stamp ? server.refused.times + 1 : 1;
    const minutes = refusedMinutes(times);
    const next = `not tried again for ${minutes} min, unless the file of the password or certificate changes`;
    const refused = new BindRefused(`${error.message}; ${next}`, error.cause);
    server.refused = { error: refused, times, until: performance.now() + minutes * 60_000, stamp };
    return refused;
  }

  /** Says it once for as long as it lasts, and not for each login. Without a second server, each login fails and says so. */
  #skip(server: Server, message: string, isNews: boolean): void {
    if (isNews && this.#known.size > 1) this.#log.warning(`ldap: ${message}; skipped for ${DEAD_TIME / 1000} s`);
    server.deadUntil = performance.now() + DEAD_TIME;
  }
}
