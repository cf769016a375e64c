import { type Server, Socket } from 'node:net';
import manifest from '../../package.json' with { type: 'json' };
import type { Monitor } from '../doors/door.js';
import { milliseconds } from '../support/clock.js';
import type { Logger } from '../support/log.js';
import { createFirstTime } from '../support/repeat.js';
import { type Answerer, createDenier } from './answerer.js';
import { type Connection, type ConnectionHandler, serveConnection } from './connection.js';
import { type Counters, countByName, formatMonitor, showCounters } from './counters.js';
import { createGate } from './gate.js';
import type { Room } from './open-files.js';

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

const HOUR = 3_600_000;
/** How long all connections have to be busy or taken until one that rests makes room, and then the next one, in milliseconds. */
const ROOM_INTERVAL = 200;

/** `onActive` hears of every change in the number of logins in hand. */
export function createService(log: Logger, counters: Counters, onActive: (active: number) => void): Service {
  const connections = new Set<Connection>();
  const isNew = createFirstTime(HOUR, 10);
  let makeRoom: NodeJS.Timeout | undefined;
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

  const gate = createGate({
    accept,
    full(room, waits) {
      sayFull(room, waits);
      makeRoom = setInterval(letOneGo, ROOM_INTERVAL);
    },
    turnedAway() {
      counters.refusedConnections++;
    },
    failed: (error) => log.error(`socket: ${error.message}`),
  });

  function sayFull({ connections: most, openFiles }: Room, waits: boolean): void {
    const why =
      openFiles === undefined ? 'the most that are served at a time' : `as many as a limit of ${openFiles} open files leaves room for`;
    const fix =
      openFiles === undefined
        ? ''
        : '; raise the limit: LimitNOFILE= in the systemd unit of whoever starts the service, acl-groups or Dovecot';
    if (waits) {
      if (isNew('waits')) log.warning(`${most} connections, ${why}: the next ones wait for a place${fix}`);
    } else if (isNew('closed')) log.error(`${most} connections, ${why}: the next ones are closed${fix}`);
  }

  /** Dovecot's auth processes keep their connections, and connect anew when they are closed: no number of them may keep others out. */
  function letOneGo(): void {
    let first: Connection | undefined;
    for (const connection of connections) {
      const { restsSince } = connection;
      if (restsSince !== undefined && restsSince < (first?.restsSince ?? Number.POSITIVE_INFINITY)) first = connection;
    }
    first?.drain();
  }

  function accept(socket: Socket): void {
    const connection = serveConnection(socket, handler);
    connections.add(connection);
    socket.once('close', () => {
      connections.delete(connection);
      if (!gate.update(connections.size)) clearInterval(makeRoom);
      if (connections.size === 0) onIdle?.();
    });
    gate.update(connections.size);
    if (draining) connection.drain();
  }

  return {
    createServer: gate.createServer,
    listen: gate.listen,
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
      gate.close();
      clearInterval(makeRoom);
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
