import { once } from 'node:events';
import { connect } from 'node:net';
import { AndFilter, BindRequest, EqualityFilter, SearchRequest } from 'ldapts';
import { messageLength } from '../../src/doors/userdb/message.js';
import type { Sample } from './measure.js';

/*
 * An LDAP client that is nearly nothing: requests are encoded before the clock runs, and of what comes back it reads lengths, numbers and
 * tags. What is measured is the server; `npm run bench -- door` has an echo server beside it to show that.
 */

/** Searches that are ready to be sent; the one at index i has the message number i + 1. */
export type Searches = readonly Buffer[];

/** A search for each user by equality: the attributes of the assertions in an AND, or alone. */
export function searchesFor(
  users: readonly string[],
  { base, assertions, attribute }: { readonly base: string; readonly assertions: readonly string[]; readonly attribute: string },
): Searches {
  return users.map((value, index) => {
    const equalities = assertions.map((name) => new EqualityFilter({ attribute: name, value }));
    const [only] = equalities;
    const filter = equalities.length === 1 && only !== undefined ? only : new AndFilter({ filters: equalities });
    return new SearchRequest({ messageId: index + 1, baseDN: base, scope: 'sub', filter, attributes: [attribute] }).write();
  });
}

/** One connection to a server's UNIX socket. */
export interface LdapConnection {
  /** Sends all searches, never more than `atOnce` ahead of their answers. Each has to find one entry. */
  search(searches: Searches, atOnce: number): Promise<Sample>;
  close(): void;
}

const BIND_ID = 0x7fff;
const TAG = { bindResponse: 0x61, searchRequest: 0x63, entry: 0x64, done: 0x65 } as const;

/** Connects, and binds as Dovecot does; without a DN, anonymously. An echo server is asked without a bind, and gives back each search. */
export async function openLdap(
  path: string,
  { dn = '', password = '', echo = false }: { readonly dn?: string; readonly password?: string; readonly echo?: boolean } = {},
): Promise<LdapConnection> {
  const socket = connect(path);
  let onMessage: (tag: number, id: number, code: number) => void = () => {};
  let afterChunk: () => void = () => {};
  let onError: (error: Error) => void = () => {};
  const split = splitMessages((bytes) => {
    const at = contentOf(bytes, 0);
    const idLength = bytes[at + 1] ?? 0;
    const operation = at + 2 + idLength;
    // A result's code is its first element, of three bytes.
    const code = bytes[contentOf(bytes, operation) + 2] ?? 0;
    onMessage(bytes[operation] ?? 0, bytes.readUIntBE(at + 2, idLength), code);
  });
  socket.on('data', (chunk) => {
    split(chunk);
    afterChunk();
  });
  socket.on('error', (error) => onError(error));
  socket.on('close', () => onError(new Error(`${path}: the server has closed the connection`)));
  await once(socket, 'connect');
  if (!echo) {
    const bound = new Promise<number>((resolve, reject) => {
      onMessage = (_tag, _id, code) => resolve(code);
      onError = reject;
    });
    socket.write(new BindRequest({ messageId: BIND_ID, dn, password }).write());
    const code = await bound;
    if (code !== 0) throw new Error(`${path}: bind: result ${code}`);
  }
  return {
    search: (searches, atOnce) =>
      new Promise((resolve, reject) => {
        const latencies: number[] = [];
        const sent = new Float64Array(searches.length + 1);
        const begun = performance.now();
        let next = 0;
        let due = Math.min(atOnce, searches.length);
        let entries = 0;
        onError = reject;
        /** What has become due since the last piece of input, in one write. */
        afterChunk = () => {
          if (due === 0) return;
          const now = performance.now();
          const from = next;
          for (; due > 0; due--) sent[++next] = now;
          const pieces = searches.slice(from, next);
          const [only] = pieces;
          socket.write(pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces));
        };
        onMessage = (tag, id, code) => {
          if (tag === TAG.entry || tag === TAG.searchRequest) entries++;
          if (tag === TAG.entry) return;
          if (tag !== TAG.done && !(echo && tag === TAG.searchRequest)) reject(new Error(`${path}: a message with the tag ${tag}`));
          if (tag === TAG.done && code !== 0) reject(new Error(`${path}: search: result ${code}`));
          const now = performance.now();
          latencies.push(now - (sent[id] ?? Number.NaN));
          if (next + due < searches.length) due++;
          if (latencies.length < searches.length) return;
          if (entries === searches.length) resolve({ latencies, elapsed: now - begun });
          else reject(new Error(`${path}: ${searches.length} searches found ${entries} entries`));
        };
        afterChunk();
      }),
    close() {
      onError = () => {};
      socket.destroy();
    },
  };
}

/** Cuts what arrives in pieces into whole messages. */
export function splitMessages(onMessage: (bytes: Buffer) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let start = 0;
    while (start < bytes.length) {
      const length = messageLength(bytes, start) ?? Number.POSITIVE_INFINITY;
      if (start + length > bytes.length) break;
      onMessage(bytes.subarray(start, start + length));
      start += length;
    }
    rest = bytes.subarray(start);
  };
}

/** Where the content of the element at `start` begins. */
function contentOf(bytes: Buffer, start: number): number {
  const first = bytes[start + 1] ?? 0;
  return start + 2 + (first < 0x80 ? 0 : first - 0x80);
}
