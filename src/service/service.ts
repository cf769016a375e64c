import { createServer, type Server, Socket } from 'node:net';
import manifest from '../../package.json' with { type: 'json' };
import type { Monitor } from '../doors/door.js';
import { milliseconds } from '../support/clock.js';
import type { Logger } from '../support/log.js';
import { type Answerer, createDenier } from './answerer.js';
import { type Connection, type ConnectionHandler, serveConnection } from './connection.js';
import { type Counters, countByName, formatMonitor, showCounters } from './counters.js';

/** The login service: takes connections, counts what is in hand, and ends without losing a login. */
export interface Service {
  /** Listens on an inherited socket, given by its descriptor. */
  listen(descriptor: number): Promise<void>;
  /** A server whose clients are served; for a socket that is made elsewhere. */
  createServer(): Server;
  /** Serves a client that somebody else has accepted. */
  serve(descriptor: number): void;
  /** Has another answerer take over; what the old one has in hand it still answers. */
  use(answerer: Answerer): void;
  /** Logins in hand. */
  readonly active: number;
  readonly connections: number;
  /** One line of figures. */
  status(): string;
  /** Takes no new clients, and resolves when the last one is gone; the latest after `limit` milliseconds. */
  drain(limit: number): Promise<void>;
}

/** Well below any usual limit of descriptors. Each mail process that logs a user in holds one for a few milliseconds. */
const MAX_CONNECTIONS = 16_384;

/** How many connections may wait to be accepted; the kernel allows no more than net.core.somaxconn. A full queue costs logins. */
export const BACKLOG = 4096;

/** `onActive` hears of every change in the number of logins in hand. */
export function createService(log: Logger, counters: Counters, onActive: (active: number) => void): Service {
  const connections = new Set<Connection>();
  const servers = new Set<Server>();
  let answerer = createDenier('the service is starting');
  let active = 0;
  let draining = false;
  let onIdle: (() => void) | undefined;

  const startedAt = milliseconds();
  /** Figures of this moment beside what was counted. */
  const monitor = (): Monitor => ({
    version: manifest.version,
    pid: process.pid,
    uptimeSeconds: Math.floor((milliseconds() - startedAt) / 1000),
    ...showCounters(counters),
    connections: connections.size,
    loginsInHand: active,
    memoryBytes: process.memoryUsage.rss(),
    ...answerer.status(),
  });

  const handler: ConnectionHandler = {
    answer: (facts, narrow) => answerer.answer(facts, narrow),
    monitor,
    onRequest(door) {
      counters.logins++;
      countByName(counters.doors, door.name);
      onActive(++active);
    },
    onAnswered(verdict) {
      if (verdict === 'deny') counters.denied++;
      else if (verdict === 'unknown') counters.unknownUsers++;
      onActive(--active);
    },
    onRefused(reason) {
      counters.refusedConnections++;
      log.warning(`connection closed: ${reason}`);
    },
    onFailed: (reason) => log.error(`${reason}; login denied`),
  };

  function accept(socket: Socket): void {
    const connection = serveConnection(socket, handler);
    connections.add(connection);
    socket.once('close', () => {
      connections.delete(connection);
      if (connections.size === 0) onIdle?.();
    });
    if (draining) connection.drain();
  }

  function newServer(): Server {
    // A client that has said all that it has to say still wants its reply.
    const server = createServer({ allowHalfOpen: true }, accept);
    server.maxConnections = MAX_CONNECTIONS;
    let full = false;
    server.on('connection', () => {
      full = false;
    });
    server.on('drop', () => {
      counters.refusedConnections++;
      // One line for as long as it lasts.
      if (!full) log.error(`connections closed: there are ${MAX_CONNECTIONS} already`);
      full = true;
    });
    // The process may be out of descriptors or memory for a moment; that is no reason to lose those who are served.
    server.on('error', (error) => log.error(`socket: ${error.message}`));
    servers.add(server);
    return server;
  }

  return {
    createServer: newServer,
    listen(descriptor) {
      return new Promise((resolve, reject) => {
        const server = newServer();
        server.once('error', reject);
        // A descriptor's backlog is heeded in this place only.
        server.listen({ fd: descriptor }, BACKLOG, () => {
          server.off('error', reject);
          resolve();
        });
      });
    },
    serve: (descriptor) => accept(new Socket({ fd: descriptor, allowHalfOpen: true, readable: true, writable: true })),
    use(replacement) {
      answerer = replacement;
    },
    get active() {
      return active;
    },
    get connections() {
      return connections.size;
    },
    status: () => formatMonitor(monitor()),
    drain(limit) {
      draining = true;
      for (const server of servers) server.close();
      return new Promise((resolve) => {
        const timer = setTimeout(resolve, limit);
        onIdle = () => {
          clearTimeout(timer);
          resolve();
        };
        if (connections.size === 0) onIdle();
        for (const connection of connections) connection.drain();
      });
    },
  };
}
