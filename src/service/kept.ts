import type { Outcome } from '../doors/door.js';

/** What is kept of an answer: for doors with room, and for one without if it differs there. */
export type Kept = Outcome & { readonly narrow: Narrow | undefined };

/** What a door is told that has not the room for the value, and what goes into the log with it. */
export interface Narrow {
  readonly outcome: Outcome;
  readonly problem: string;
}

/** The first character of a packed answer. */
const KIND: Readonly<Record<Outcome['verdict'] | 'narrow', string>> = { grant: '+', unknown: '?', deny: '-', narrow: '{' };

/** An answer as one text for the cache, one byte a character as its own texts are. */
export function pack({ verdict, text, narrow }: Kept): string {
  // One answer of many thousands has more groups than a userdb reply has room for.
  return narrow === undefined ? KIND[verdict] + text : KIND.narrow + JSON.stringify([verdict, text, narrow]);
}

/** The answer that was packed. */
export function unpack(packed: string): Kept {
  const rest = packed.slice(1);
  switch (packed[0]) {
    case KIND.grant:
      return { verdict: 'grant', text: rest, narrow: undefined };
    case KIND.unknown:
      return { verdict: 'unknown', text: rest, narrow: undefined };
    case KIND.deny:
      return { verdict: 'deny', text: rest, narrow: undefined };
    default: {
      const [verdict, text, narrow]: [Outcome['verdict'], string, Narrow] = JSON.parse(rest);
      return { verdict, text, narrow };
    }
  }
}
