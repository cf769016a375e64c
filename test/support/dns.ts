import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import type { ResolveSrv } from '../../src/support/srv.js';

/** A name server that knows the SRV records of one name. */
export interface TestDns {
  /** Asks this server, and no other. */
  readonly resolveSrv: ResolveSrv;
  /** How often it was asked. */
  readonly questions: number;
  close(): void;
}

/** What a record says: priority, weight, port, target. */
export type Srv = readonly [priority: number, weight: number, port: number, target: string];

/** Starts a name server on loopback. Without records it answers that there is no such name; with `undefined`, nothing. */
export async function startDns(name: string, records: readonly Srv[] | undefined): Promise<TestDns> {
  const socket = createSocket('udp4');
  let questions = 0;
  socket.on('message', (query, { port, address }) => {
    questions++;
    if (records !== undefined) socket.send(answer(query, name, records), port, address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  // Client and server share an event loop: a pause of it must not look like silence.
  const resolver = new Resolver(records === undefined ? { timeout: 100, tries: 2 } : { timeout: 20_000, tries: 1 });
  resolver.setServers([`127.0.0.1:${socket.address().port}`]);
  return {
    resolveSrv: (asked) => resolver.resolveSrv(asked),
    get questions() {
      return questions;
    },
    close: () => {
      resolver.cancel();
      socket.close();
    },
  };
}

/** RFC 1035, 4.1: the header, the question repeated, the answers. */
function answer(query: Buffer, name: string, records: readonly Srv[]): Buffer {
  const question = query.subarray(12, query.indexOf(0, 12) + 5);
  const known = question.subarray(0, -4).equals(labels(name)) ? records : [];
  const header = Buffer.from(query.subarray(0, 12));
  // An answer, with recursion; code 3 says that there is no such name.
  header.writeUInt16BE(0x8180 + (known.length > 0 ? 0 : 3), 2);
  header.writeUInt16BE(known.length, 6);
  header.writeUInt32BE(0, 8);
  return Buffer.concat([header, question, ...known.map(record)]);
}

function record([priority, weight, port, target]: Srv): Buffer {
  const name = labels(target);
  const head = Buffer.alloc(18);
  // The name is that of the question, at offset 12. Then type SRV, class IN, TTL, length.
  [0xc00c, 33, 1, 0, 60, 6 + name.length, priority, weight, port].forEach((value, index) => void head.writeUInt16BE(value, 2 * index));
  return Buffer.concat([head, name]);
}

function labels(name: string): Buffer {
  return Buffer.concat([
    ...name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)])),
    Buffer.from([0]),
  ]);
}
