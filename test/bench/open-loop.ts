import { once } from 'node:events';
import { connect } from 'node:net';
import { BindRequest } from 'ldapts';
import { splitMessages } from './ldap-wire.js';

/** A client like Dovecot's auth process: one connection, so many searches in flight, the others wait for their turn. */
export interface AuthClient {
  /** Sends a search when its turn has come; milliseconds from now until its result is there. */
  search(bytes: Buffer): Promise<number>;
  close(): void;
}

/** As many as Dovecot sends ahead of answers. */
const IN_FLIGHT = 8;
const RESULT = 0x65;

interface Waiting {
  readonly bytes: Buffer;
  readonly since: number;
  readonly done: (elapsed: number) => void;
}

/** Connects to a socket, and binds anonymously. Answers come in any order; each search has the number of its place in flight. */
export async function openAuthClient(path: string): Promise<AuthClient> {
  const socket = connect(path);
  const places: (Waiting | undefined)[] = Array.from({ length: IN_FLIGHT });
  const queue: Waiting[] = [];
  let bound: () => void = () => {};
  let first = 0;
  socket.on(
    'data',
    splitMessages((bytes) => {
      // The message's length has one byte or more; then come 02 01 NUMBER and the operation.
      const at = 2 + (bytes[1] !== undefined && bytes[1] > 0x7f ? bytes[1] - 0x80 : 0);
      const place = bytes[at + 2] ?? 0;
      if (bytes[at + 3] === 0x61) bound();
      if (bytes[at + 3] !== RESULT) return;
      // The result's code is the first of its elements.
      if (bytes[at + 7] !== 0) throw new Error(`${path}: search: result ${bytes[at + 7]}`);
      const waiting = places[place - 1];
      places[place - 1] = undefined;
      waiting?.done(performance.now() - waiting.since);
      next();
    }),
  );
  await once(socket, 'connect');
  const ready = new Promise<void>((resolve) => {
    bound = resolve;
  });
  socket.write(new BindRequest({ messageId: 127, dn: '', password: '' }).write());
  await ready;

  function next(): void {
    while (first < queue.length) {
      const place = places.indexOf(undefined);
      const waiting = queue[first];
      if (place < 0 || waiting === undefined) return;
      first++;
      places[place] = waiting;
      const bytes = Buffer.from(waiting.bytes);
      const at = 2 + (bytes[1] !== undefined && bytes[1] > 0x7f ? bytes[1] - 0x80 : 0);
      bytes[at + 2] = place + 1;
      socket.write(bytes);
    }
    queue.length = 0;
    first = 0;
  }

  return {
    search: (bytes) =>
      new Promise((resolve) => {
        queue.push({ bytes, since: performance.now(), done: resolve });
        next();
      }),
    close: () => socket.destroy(),
  };
}
