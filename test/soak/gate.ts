import { connect, type Socket } from 'node:net';
import { listen } from '../support/relay.js';

/** Stands between the service and the directory, and lets through what comes as fast as it is told to. */
export interface Gate {
  readonly port: number;
  /** How long each piece is held back, in milliseconds. */
  delay: number;
  /** Loses all connections: the next ones are new. */
  drop(): void;
  close(): Promise<void>;
}

/** Opens a gate to a port of this machine. */
export async function openGate(port: number): Promise<Gate> {
  const sockets = new Set<Socket>();
  let delay = 0;
  const pass = (from: Socket, to: Socket): void => {
    sockets.add(from);
    let last = Promise.resolve();
    const inTurn = (task: () => void): void => {
      const held = delay === 0 ? undefined : new Promise((resolve) => setTimeout(resolve, delay));
      last = last.then(() => held).then(task);
    };
    from.on('data', (chunk) => inTurn(() => void to.write(chunk)));
    from.on('end', () => inTurn(() => void to.end()));
    from.on('error', () => to.destroy());
    from.on('close', () => {
      sockets.delete(from);
      inTurn(() => void to.destroy());
    });
  };
  const server = await listen((client) => {
    const other = connect(port, '127.0.0.1');
    pass(client, other);
    pass(other, client);
  });
  return {
    port: server.port,
    get delay() {
      return delay;
    },
    set delay(milliseconds) {
      delay = milliseconds;
    },
    drop() {
      for (const socket of sockets) socket.destroy();
    },
    close: () => server.close(),
  };
}
