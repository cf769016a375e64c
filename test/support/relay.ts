import { connect, createServer, type Server, type Socket } from 'node:net';
import { BerReader } from 'ldapts';

/** A server of the test's own, on loopback. */
export interface TestServer {
  readonly port: number;
  /** How many connections were made to it. */
  readonly connections: number;
  close(): Promise<void>;
}

/** Listens, and does what it is told with each connection. */
export async function listen(serve: (socket: Socket) => void): Promise<TestServer> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server: Server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    get connections() {
      return connections;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Stands between client and server, and swallows the answers to requests that hold `text`. */
export function swallowing(port: number, text: string): Promise<TestServer> {
  return listen((client) => {
    const server = connect(port, '127.0.0.1');
    const swallowed = new Set<number>();
    server.on('error', () => client.destroy());
    server.on('close', () => client.destroy());
    client.on('close', () => server.destroy());
    client.on(
      'data',
      messages((message, id) => {
        if (message.includes(text)) swallowed.add(id);
        server.write(message);
      }),
    );
    server.on(
      'data',
      messages((message, id) => {
        if (!swallowed.has(id)) client.write(message);
      }),
    );
  });
}

/** Cuts a stream into LDAP messages; `operation` is the tag of what a message says (RFC 4511, 4.2 to 4.12). */
export function messages(handle: (message: Buffer, id: number, operation: number) => void): (chunk: Buffer) => void {
  let buffer = Buffer.alloc(0);
  return (chunk) => {
    buffer = Buffer.concat([buffer, chunk]);
    for (;;) {
      const reader = new BerReader(buffer);
      if (reader.readSequence() === null || reader.remain < reader.length) return;
      const end = reader.offset + reader.length;
      const id = reader.readInt() ?? 0;
      handle(buffer.subarray(0, end), id, buffer[reader.offset] ?? 0);
      buffer = buffer.subarray(end);
    }
  };
}
