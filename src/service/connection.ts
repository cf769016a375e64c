import type { Socket } from 'node:net';
import { createRequestParser, formatReply, type ProtocolRequest } from '../doors/post-login/protocol.js';
import { explain } from '../support/errors.js';

/** How a connection gets its answers, and whom it tells about itself. */
export interface ConnectionHandler {
  /** The value of `acl_groups`; `null` denies. A rejection denies, too, with the error in the log. */
  answer(request: ProtocolRequest): Promise<string | null>;
  /** A login is in hand until `onAnswered`. */
  onRequest(): void;
  /** Its reply is written, or the connection closed. */
  onAnswered(granted: boolean): void;
  /** The client doesn't speak the protocol, or was too slow. */
  onRefused(reason: string): void;
  /** A login was denied because of the request itself, or of an error of ours. */
  onFailed(reason: string): void;
}

/** One client. */
export interface Connection {
  /** Takes no further request; what is in hand is answered, then the connection closes. */
  drain(): void;
}

/**
 * How long a request may take to arrive, and a reply to be taken, in milliseconds. Dovecot's script-login gives its clients as
 * long (SCRIPT_LOGIN_READ_TIMEOUT_SECS).
 */
const DEADLINE = 10_000;
/** What Dovecot sends comes with the connection; at the end, one that has brought nothing by now is not waited for. */
const DRAIN_GRACE = 500;

/**
 * Serves the requests of one client, in order. A mail process sends one, closes after the reply, and takes closing without a
 * reply for "denied".
 */
export function serveConnection(socket: Socket, handler: ConnectionHandler, deadline: number = DEADLINE): Connection {
  const parser = createRequestParser();
  let queue: readonly ProtocolRequest[] = [];
  let busy = false;
  let refused: string | undefined;
  let inputEnded = false;
  let draining = false;
  let timer = setTimeout(onDeadline, deadline);

  socket.on('data', (chunk: Buffer) => {
    const { requests, error } = parser.push(chunk);
    refused = error;
    if (requests.length === 0 && error === undefined) return;
    queue = queue.length === 0 ? requests : [...queue, ...requests];
    // No more is read until these are answered, however fast the client sends.
    socket.pause();
    next();
  });
  socket.on('end', () => {
    inputEnded = true;
    next();
  });
  socket.on('drain', () => next());
  // Whether the client went away or its reply could not be written: there is nobody left to tell.
  socket.on('error', () => socket.destroy());
  socket.on('close', () => clearTimeout(timer));

  /** Answers the next request, or closes, or waits for more: whichever is due. */
  function next(): void {
    if (busy || socket.destroyed) return;
    const [request] = queue;
    if (request !== undefined) {
      if (!socket.writableNeedDrain) void reply(request);
    } else if (refused !== undefined) {
      handler.onRefused(refused);
      close();
    } else if (inputEnded || draining) {
      if (parser.partial) handler.onRefused('the client broke off in the middle of a request');
      close();
    } else if (socket.isPaused()) socket.resume();
  }

  async function reply(request: ProtocolRequest): Promise<void> {
    busy = true;
    queue = queue.slice(1);
    clearTimeout(timer);
    handler.onRequest();
    let value: string | null = null;
    try {
      value = await handler.answer(request);
    } catch (error) {
      handler.onFailed(explain(error));
    }
    busy = false;
    timer = setTimeout(onDeadline, deadline);
    if (value !== null && !socket.destroyed) socket.write(formatReply(request, value), 'latin1');
    handler.onAnswered(value !== null);
    if (value === null) {
      queue = [];
      close();
    } else next();
  }

  function close(): void {
    // What is written already still has to arrive.
    socket.destroySoon();
  }

  function onDeadline(): void {
    if (!socket.writableFinished && socket.writableLength > 0) handler.onRefused(`the reply was not taken within ${deadline} ms`);
    else if (parser.partial) handler.onRefused(`no whole request came within ${deadline} ms`);
    socket.destroy();
  }

  return {
    drain() {
      draining = true;
      // A login in hand, or a reply that is still on its way, has the time that it always has.
      if (busy || queue.length > 0 || socket.writableLength > 0) return;
      clearTimeout(timer);
      timer = setTimeout(() => {
        if (parser.partial) handler.onRefused('the service ends, and no whole request has come');
        socket.destroy();
      }, DRAIN_GRACE);
    },
  };
}
