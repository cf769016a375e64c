import type { Socket } from 'node:net';
import type { Conversation, Door, Monitor, Outcome, Step } from '../doors/door.js';
import { doorFor } from '../doors/doors.js';
import type { LoginFacts } from '../login/request.js';
import { explain } from '../support/errors.js';

/** How a connection gets its answers, and whom it tells about itself. */
export interface ConnectionHandler {
  /** What a login is told. A rejection denies, with the error in the log. */
  answer(facts: LoginFacts, narrow: boolean): Outcome | Promise<Outcome>;
  monitor(): Monitor;
  /** A login is in hand until `onAnswered`. */
  onRequest(door: Door): void;
  /** Its reply is written, or the connection closed. */
  onAnswered(verdict: Outcome['verdict']): void;
  /** The client doesn't speak its protocol, or was too slow. */
  onRefused(reason: string): void;
  /** A login was denied because of the request itself, or of an error of ours. */
  onFailed(reason: string): void;
}

/** One client. */
export interface Connection {
  /** Orders connections by how long they have been at rest: the least number for the longest. `undefined` for one that is not. */
  readonly restsSince: number | undefined;
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
/** How many requests of one connection are in hand before no more is read from it. Dovecot sends eight at a time. */
const MAX_IN_HAND = 128;
/**
 * How many bytes of replies are put together before they are written. What one chunk of a client's requests asks for can be thousands of
 * times its length, and is only known to be taken once it is written.
 */
const MOST_AT_ONCE = 64 * 1024;

/** How many pieces of input all connections have had: a clock for their order. */
let inputs = 0;

type Login = Extract<Step, { readonly kind: 'login' }>;

/** Serves one client through the door that its first byte tells. */
export function serveConnection(socket: Socket, handler: ConnectionHandler, deadline: number = DEADLINE): Connection {
  let door: Door | undefined;
  let conversation: Conversation | undefined;
  /** What has been read and not been looked at: an in-turn door has a request in hand, or there are too many. */
  let steps: Step[] = [];
  /** Requests that have no answer yet. */
  const inHand = new Set<Login>();
  /** Those of them whose answer nobody wants any more. Not their numbers: a client may use one again. */
  const abandoned = new Set<Login>();
  let inputEnded = false;
  let draining = false;
  let ended = false;
  let timer: NodeJS.Timeout | undefined;
  let lastInput = 0;
  expectInput();

  socket.on('data', (chunk: Buffer) => {
    lastInput = ++inputs;
    if (conversation === undefined || door === undefined) {
      door = doorFor(chunk[0] ?? 0);
      conversation = door.open();
    }
    const found = conversation.push(chunk);
    steps = steps.length === 0 ? [...found] : [...steps, ...found];
    work();
  });
  socket.on('end', () => {
    inputEnded = true;
    work();
  });
  socket.on('drain', work);
  // Whether the client went away or its reply could not be written: there is nobody left to tell.
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    clearTimeout(timer);
    steps = [];
  });

  /** Does what can be done now; replies that are ready at once go out in one write. */
  function work(): void {
    let replies = '';
    while (steps.length > 0 && !ended && !socket.destroyed && mayGoOn()) {
      const step = steps.shift();
      noDeadline();
      if (step !== undefined) replies += take(step);
      if (replies.length < MOST_AT_ONCE) continue;
      send(replies);
      replies = '';
    }
    if (replies !== '') send(replies);
    settle();
  }

  /** Whether the next step may be taken: no more is read or answered, however fast the client sends, than it takes replies. */
  function mayGoOn(): boolean {
    if (socket.writableNeedDrain) return false;
    return inHand.size < (door?.order === 'in-turn' ? 1 : MAX_IN_HAND);
  }

  /** Takes a step; returns what can be replied at once. */
  function take(step: Step): string {
    switch (step.kind) {
      case 'reply':
        return step.reply;
      case 'monitor':
        return step.reply(handler.monitor());
      case 'abandon':
        for (const request of inHand) if (request.id === step.id) abandoned.add(request);
        return '';
      case 'end':
        ended = true;
        if (step.refused !== undefined) handler.onRefused(step.refused);
        return step.farewell ?? '';
      case 'login':
        return login(step);
    }
  }

  function login(request: Login): string {
    if (door === undefined) return '';
    handler.onRequest(door);
    let outcome: Outcome | Promise<Outcome>;
    try {
      outcome = handler.answer(request.facts(), door.narrow);
    } catch (error) {
      return answered(request, failed(error));
    }
    if (!(outcome instanceof Promise)) return answered(request, outcome);
    inHand.add(request);
    void outcome.catch(failed).then((late) => {
      inHand.delete(request);
      const over = ended;
      const reply = answered(request, late);
      if (reply !== '' && !over && !socket.destroyed) send(reply);
      work();
    });
    return '';
  }

  function failed(error: unknown): Outcome {
    const reason = explain(error);
    handler.onFailed(reason);
    return { verdict: 'deny', text: reason };
  }

  /** The bytes of an answer. Where the protocol has none for "denied", the connection is over. */
  function answered(request: Login, outcome: Outcome): string {
    const reply = abandoned.delete(request) ? '' : request.reply(outcome);
    if (reply === undefined) ended = true;
    handler.onAnswered(outcome.verdict);
    return reply ?? '';
  }

  function send(replies: string): void {
    socket.write(replies, 'latin1');
  }

  /** Closes, waits, or reads on: whichever is due. */
  function settle(): void {
    if (socket.destroyed) return;
    if (ended) {
      steps = [];
      close();
      return;
    }
    if (inHand.size === 0 && steps.length === 0) {
      if (inputEnded || draining) {
        if (conversation?.partial) handler.onRefused(inputEnded ? 'the client broke off in the middle of a request' : ENDING);
        close();
        return;
      }
    }
    if (steps.length > 0 || !mayGoOn()) socket.pause();
    else if (socket.isPaused()) socket.resume();
    expectInput();
  }

  /** Sets a time limit where input has to come or replies have to be taken, unless one is running: a byte now and then doesn't extend it. */
  function expectInput(): void {
    if (inHand.size > 0 || mayRest()) noDeadline();
    else timer ??= setTimeout(onDeadline, deadline);
  }

  function mayRest(): boolean {
    return door?.order === 'as-ready' && conversation?.partial !== true && socket.writableLength === 0;
  }

  function noDeadline(): void {
    if (timer === undefined) return;
    clearTimeout(timer);
    timer = undefined;
  }

  function close(): void {
    noDeadline();
    timer = setTimeout(onDeadline, deadline);
    // What is written already still has to arrive.
    socket.destroySoon();
  }

  function onDeadline(): void {
    if (!socket.writableFinished && socket.writableLength > 0) handler.onRefused(`the reply was not taken within ${deadline} ms`);
    else if (conversation?.partial) handler.onRefused(`no whole request came within ${deadline} ms`);
    socket.destroy();
  }

  return {
    get restsSince() {
      return inHand.size === 0 && steps.length === 0 && mayRest() ? lastInput : undefined;
    },
    drain() {
      draining = true;
      // A login in hand, or a reply that is still on its way, has the time that it always has.
      if (inHand.size > 0 || steps.length > 0 || socket.writableLength > 0) return;
      if (door?.order === 'as-ready' && conversation?.partial !== true) {
        // Dovecot turns to the next process at once. A notice of disconnection (RFC 4511, 4.4.1) gains nothing: it logs an unknown message.
        settle();
        return;
      }
      noDeadline();
      timer = setTimeout(() => {
        if (conversation?.partial) handler.onRefused(ENDING);
        socket.destroy();
      }, DRAIN_GRACE);
    },
  };
}

const ENDING = 'the service ends, and no whole request has come';
