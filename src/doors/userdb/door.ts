import type { Conversation, Door, Outcome, Step } from '../door.js';
import { BASE, BASE_ENTRY, isSameDn, MONITOR, monitorEntry, project, ROOT_DSE, userEntry } from './entries.js';
import { readFilter } from './facts.js';
import { type Message, messageLength, NotLdap, OPERATION, parseMessage, type Request, type SearchRequest } from './message.js';
import { type Entry, entryOperation, message, noticeOfDisconnection, RESULT, result } from './response.js';

/**
 * What Dovecot's auth process asks: a userdb of driver ldap. A search is a login; its filter states the facts.
 *
 * Nobody can log in here. A bind is anonymous or fails, so that a passdb that is pointed at this socket by mistake accepts no password.
 */
export const userdb: Door = {
  name: 'userdb',
  order: 'as-ready',
  narrow: true,
  detects: (firstByte) => firstByte === 0x30,
  open: openConversation,
};

function openConversation(): Conversation {
  let pieces: Buffer[] = [];
  let pending = 0;
  /** How many bytes it takes until there is more to read than what has been looked at. */
  let needed = 0;

  /** The whole messages among what has arrived. */
  function read(bytes: Buffer, steps: Step[]): void {
    let start = 0;
    let ended = false;
    needed = 0;
    while (!ended && start < bytes.length) {
      const length = messageLength(bytes, start);
      if (length === undefined || start + length > bytes.length) {
        needed = length ?? 0;
        break;
      }
      const step = answer(parseMessage(bytes.subarray(start, start + length)));
      if (step !== undefined) steps.push(step);
      ended = step?.kind === 'end';
      start += length;
    }
    // A copy, because a chunk is a part of a larger block of memory.
    pieces = ended || start === bytes.length ? [] : [Buffer.from(bytes.subarray(start))];
    pending = pieces.length === 0 ? 0 : bytes.length - start;
  }

  return {
    push(chunk) {
      const steps: Step[] = [];
      pieces.push(chunk);
      pending += chunk.length;
      if (pending < needed) return steps;
      try {
        read(pieces.length === 1 ? chunk : Buffer.concat(pieces), steps);
      } catch (error) {
        if (!(error instanceof NotLdap)) throw error;
        steps.push({ kind: 'end', refused: error.message, farewell: noticeOfDisconnection(RESULT.protocolError, error.message) });
      }
      return steps;
    },
    get partial() {
      return pending > 0;
    },
  };
}

/** The end of a search that found what there is. */
const FOUND = result(OPERATION.searchResultDone, RESULT.success);

/** What a message asks for; `undefined` for one that nothing comes of. */
function answer({ id, request, criticalControl }: Message): Step | undefined {
  if (request.kind === 'unbind') return { kind: 'end' };
  if (request.kind === 'abandon') return { kind: 'abandon', id: request.id };
  // Such a control makes an operation another one (RFC 4511, 4.1.11).
  if (criticalControl) return reply(id, result(responseTag(request), RESULT.unavailableCriticalExtension, 'no control is known here'));
  switch (request.kind) {
    case 'bind':
      return reply(id, bind(request));
    case 'search':
      return search(id, request);
    case 'extended':
      return reply(id, result(OPERATION.extendedResponse, RESULT.protocolError, 'no extended operation is known here'));
    case 'other':
      return reply(id, result(request.responseTag, RESULT.unwillingToPerform, 'entries can be searched for, and nothing else'));
  }
}

function reply(id: number, operation: string): Step {
  return { kind: 'reply', reply: message(id, operation) };
}

function responseTag(request: Exclude<Request, { readonly kind: 'unbind' | 'abandon' }>): number {
  if (request.kind === 'other') return request.responseTag;
  if (request.kind === 'bind') return OPERATION.bindResponse;
  return request.kind === 'search' ? OPERATION.searchResultDone : OPERATION.extendedResponse;
}

function bind({ version, name, method }: Extract<Request, { readonly kind: 'bind' }>): string {
  const refuse = (code: number, text: string): string => result(OPERATION.bindResponse, code, text);
  if (version !== 3) return refuse(RESULT.protocolError, 'this is LDAP version 3');
  if (method === 'sasl') return refuse(RESULT.authMethodNotSupported, 'bind anonymously');
  if (method === 'password') return refuse(RESULT.invalidCredentials, 'this is no password database; bind anonymously');
  // RFC 4513, 5.1.2: clients that let users leave out their password would take success for "password right".
  if (name !== '') return refuse(RESULT.unwillingToPerform, 'a name without a password; bind anonymously');
  return result(OPERATION.bindResponse, RESULT.success);
}

const SCOPE = { base: 0, one: 1, sub: 2 } as const;

function search(id: number, request: SearchRequest): Step {
  const { base, scope } = request;
  const done = (code: number, text: string): Step => reply(id, result(OPERATION.searchResultDone, code, text));
  if (scope === SCOPE.base && base === '')
    return found(
      id,
      project(ROOT_DSE, request, (name) => name !== 'objectClass'),
    );
  if (isSameDn(base, MONITOR)) {
    if (scope === SCOPE.one) return reply(id, FOUND);
    return { kind: 'monitor', reply: (monitor) => entryReply(id, project(monitorEntry(monitor), request)) };
  }
  if (!isSameDn(base, BASE)) return done(RESULT.noSuchObject, `there are "${BASE}" and "${MONITOR}"`);
  if (scope === SCOPE.base) return found(id, project(BASE_ENTRY, request));
  const question = readFilter(request.filter);
  if (question.kind === 'class') return reply(id, FOUND);
  if (question.kind === 'error') return done(RESULT.unwillingToPerform, question.problem);
  const { user, facts } = question;
  return { kind: 'login', id, facts, reply: (outcome) => loginReply(id, request, user, outcome) };
}

function found(id: number, entry: Entry): Step {
  return { kind: 'reply', reply: entryReply(id, entry) };
}

function entryReply(id: number, entry: Entry): string {
  return message(id, entryOperation(entry)) + message(id, FOUND);
}

/** What a login comes to, as the result of its search. */
function loginReply(id: number, request: SearchRequest, user: string, { verdict, text }: Outcome): string {
  switch (verdict) {
    case 'unknown':
      return message(id, FOUND);
    case 'deny':
      // Dovecot makes a temporary failure of it.
      return message(id, result(OPERATION.searchResultDone, RESULT.busy, text));
    case 'grant':
      return entryReply(id, project(userEntry(user, text), request));
  }
}
