import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, checkServerIdentity, connect as connectTls, type TLSSocket } from 'node:tls';
import { BerReader, ExtendedRequest, ExtendedResponse } from 'ldapts';
import type { Endpoint } from './uri.js';

/** RFC 4511, 4.14. */
const START_TLS = '1.3.6.1.4.1.1466.20037';
const EXTENDED_RESPONSE = 0x78;
/** What every LDAP message begins with (RFC 4511, 4.1.1 and 5.1). */
const SEQUENCE = 0x30;

/** How often the kernel asks after a silent peer, so that firewalls remember the connection: milliseconds. */
const KEEP_ALIVE = 30_000;

/** A socket that LDAP can be spoken over, TLS included where it was asked for. */
export type Transport = Socket | TLSSocket;

/**
 * Opens the way to a server: TCP or a UNIX socket, and TLS, immediately or by StartTLS. Never hands out a plain socket where TLS was asked for.
 * The caller's deadline aborts it by `signal`.
 */
export async function openTransport(endpoint: Endpoint, tlsOptions: () => ConnectionOptions, signal: AbortSignal): Promise<Transport> {
  const socket = endpoint.kind === 'unix' ? connectTcp(endpoint.path) : connectTcp({ host: endpoint.host, port: endpoint.port });
  const sockets: Socket[] = [socket];
  // Without an error: destroy(error) on a socket below a TLS handshake is thrown where nobody can catch it.
  const giveUp = (): void => sockets.forEach((each) => void each.destroy());
  signal.addEventListener('abort', giveUp);
  try {
    await opened(socket, 'connect');
    socket.setNoDelay(true).setKeepAlive(true, KEEP_ALIVE);
    if (endpoint.kind === 'unix' || endpoint.tls === 'none') return socket;
    if (endpoint.tls === 'upgrade') await startTls(socket);
    const secure = connectTls({
      ...tlsOptions(),
      socket,
      rejectUnauthorized: true,
      // A server name sent in the handshake can't be an address (RFC 6066, 3).
      ...(isIP(endpoint.host) === 0 && { servername: endpoint.host.replace(/\.$/, '') }),
      checkServerIdentity: (_, certificate) => {
        const errors = endpoint.names.map((name) => checkServerIdentity(name, certificate));
        return errors.some((error) => error === undefined) ? undefined : errors[0];
      },
    });
    sockets.push(secure);
    await opened(secure, 'secureConnect');
    return secure;
  } catch (error) {
    giveUp();
    throw error;
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

/** Waits for a socket to be usable; rejects with its error, or when it closes without one. */
function opened(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    // Stays for good: an error event without a listener ends the process, and the close event tells of it anyway.
    socket.on('error', reject);
    socket.once('close', () => reject(new Error('the server closed the connection')));
    socket.once(event, resolve);
  });
}

/** Asks a server to go on in TLS. By hand, because ldapts leaves a usable plain connection behind when this fails. */
async function startTls(socket: Socket): Promise<void> {
  const request = new ExtendedRequest({ messageId: 1, oid: START_TLS });
  const answer = firstMessage(socket);
  socket.write(request.write());
  const reader = new BerReader(await answer);
  reader.readSequence();
  const messageId = reader.readInt() ?? -1;
  if (messageId !== 1 || reader.readSequence() !== EXTENDED_RESPONSE) throw new Error('StartTLS: the server answered something else');
  const response = new ExtendedResponse({ messageId });
  response.parse(reader, []);
  if (response.status !== 0) {
    throw new Error(`the server refuses StartTLS: ${response.errorMessage || 'no reason given'} (result ${response.status})`);
  }
}

/** The first LDAP message, which must be all that comes: what follows it in plain text was put there by somebody else. */
function firstMessage(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const closed = (): void => reject(new Error('the server closed the connection instead of answering StartTLS'));
    const done = (settle: () => void): void => {
      socket.off('data', read).off('close', closed);
      socket.pause();
      settle();
    };
    const read = (data: Buffer): void => {
      received = Buffer.concat([received, data]);
      try {
        if (received[0] !== SEQUENCE) throw new Error('StartTLS: what answers is no LDAP server');
        const reader = new BerReader(received);
        if (reader.readSequence() === null || reader.remain < reader.length) return;
        if (reader.remain > reader.length) throw new Error('StartTLS: the server sent more than its answer in plain text');
        done(() => resolve(received));
      } catch (error) {
        done(() => reject(error));
      }
    };
    socket.on('data', read);
    socket.once('close', closed);
  });
}
