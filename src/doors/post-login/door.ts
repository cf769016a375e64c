import type { Conversation, Door, Outcome, Step } from '../door.js';
import { createRequestParser, factsOf, formatReply, formatUnchanged, type ProtocolRequest } from './protocol.js';

/** What mail processes ask after a login of IMAP or POP3. */
export const postLogin: Door = {
  name: 'post-login',
  order: 'in-turn',
  narrow: false,
  detects: (firstByte) => firstByte === 'V'.charCodeAt(0),
  open: openConversation,
};

function openConversation(): Conversation {
  const parser = createRequestParser();
  let next = 0;
  return {
    push(chunk) {
      const { requests, error } = parser.push(chunk);
      const steps: Step[] = requests.map((request) => ({
        kind: 'login',
        id: next++,
        facts: () => factsOf(request),
        reply: (outcome) => reply(request, outcome),
      }));
      if (error !== undefined) steps.push({ kind: 'end', refused: error });
      return steps;
    },
    get partial() {
      return parser.partial;
    },
  };
}

function reply(request: ProtocolRequest, { verdict, text }: Outcome): string | undefined {
  if (verdict === 'deny') return undefined;
  return verdict === 'unknown' ? formatUnchanged(request) : formatReply(request, text);
}
