/**
 * Listening sockets that stop accepting when the service is full. Who has connected waits in the kernel's queue then, and is served when there
 * is a place; a connection that is accepted and closed is a login lost, and what libuv does when the process is out of descriptors is just that
 * (src/unix/stream.c, uv__emfile_trick), without telling anybody.
 *
 * Node has no way to stop accepting but to close the server, which closes the socket with all who wait in it. Except on descriptors 0 to 2: these
 * libuv never closes (src/unix/stream.c, uv__stream_close). So the service has its socket on descriptor 0, which it doesn't read: closing the
 * server leaves the socket, and listening on the descriptor again goes on where it stopped. The launcher moves the first socket that it was
 * handed there, and one that the service makes itself gets the lowest free descriptor. Any further socket turns clients away, and says so.
 *
 * With 64 descriptors and 200 logins at once, 160 were reset; now none (test/e2e/serve-limits.test.ts).
 * @module
 */
import { closeSync, fstatSync, openSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { type Room, roomForConnections } from './open-files.js';

/** What a gate tells. */
export interface GateEvents {
  accept(socket: Socket): void;
  /** There is no place left for the next one, who `waits`, or else is turned away. */
  full(room: Room, waits: boolean): void;
  turnedAway(): void;
  failed(error: Error): void;
}

export interface Gate {
  /** Listens on an inherited socket. */
  listen(descriptor: number): Promise<void>;
  /** A server for a socket that is made elsewhere. */
  createServer(): Server;
  /** Has to hear of each change in the number of connections. Returns whether there is no place left. */
  update(connections: number): boolean;
  /** Lets nobody in any more. */
  close(): void;
}

/** How many connections may wait to be accepted; the kernel allows no more than net.core.somaxconn. A full queue costs logins. */
export const BACKLOG = 4096;

/** The descriptor whose socket outlives its server. */
const LASTING = 0;

export function createGate(events: GateEvents): Gate {
  const servers = new Set<Server>();
  let room: Room | undefined;
  let isFull = false;
  /** The server of the lasting socket. */
  let lasting: Server | undefined;
  let closed = false;

  function newServer(): Server {
    // A client that has said all that it has to say still wants its reply.
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      if (!isFull) return events.accept(socket);
      socket.destroy();
      events.turnedAway();
    });
    server.on('listening', () => {
      if (descriptorOf(server) === LASTING) lasting = server;
      // The process may be out of memory for a moment; that is no reason to lose those who are served.
      server.on('error', events.failed);
    });
    server.on('close', () => servers.delete(server));
    servers.add(server);
    return server;
  }

  function listen(descriptor: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const server = newServer();
      server.once('error', reject);
      // A descriptor's backlog is heeded in this place only.
      server.listen({ fd: descriptor }, BACKLOG, () => {
        server.off('error', reject);
        resolve();
      });
    });
  }

  return {
    createServer: newServer,
    listen,
    update(connections) {
      // What is open when the first client comes is what the service itself needs.
      room ??= roomForConnections();
      if (closed || isFull === connections >= room.connections) return isFull;
      isFull = !isFull;
      if (lasting !== undefined) {
        if (isFull) lasting.close();
        else void listen(LASTING).catch(events.failed);
      }
      if (isFull) events.full(room, lasting !== undefined);
      return isFull;
    },
    close() {
      closed = true;
      for (const server of servers) server.close();
      if (lasting === undefined) return;
      closeSync(LASTING);
      // libuv would never close what gets this number now.
      openSync('/dev/null', 'r');
    },
  };
}

/** Node says this in no other way. Where it says it no longer, clients are turned away, which is logged. */
function descriptorOf(server: Server): number | undefined {
  const handle: unknown = Reflect.get(server, '_handle');
  return typeof handle === 'object' && handle !== null && 'fd' in handle && typeof handle.fd === 'number' ? handle.fd : undefined;
}

/** The inherited sockets, the one among them by its lasting descriptor that is there as well: where the launcher, or systemd, has put it. */
export function withLasting(descriptors: readonly number[]): readonly number[] {
  const { dev, ino } = fstatSync(LASTING);
  return descriptors.map((descriptor) => {
    const found = fstatSync(descriptor);
    if (found.ino !== ino || found.dev !== dev) return descriptor;
    closeSync(descriptor);
    return LASTING;
  });
}

/**
 * Gives the lasting descriptor to the next socket that is made in this turn of the event loop. Not while threads start: one of them could
 * get it for its own loop, and libuv aborts when it has to close that.
 */
export async function freeLasting(): Promise<void> {
  // With its first stream libuv opens a descriptor for itself, which would be the lowest one.
  await new Promise<void>((resolve) => void connect({ path: '/' }).once('error', () => resolve()));
  closeSync(LASTING);
}
