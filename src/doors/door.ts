import type { LoginFacts } from '../login/request.js';

/*
 * A door is a way for a login to come in and for its answer to go out: a protocol, as a pure function from bytes to requests and from
 * answers to bytes. It knows no socket, no cache and no provider; the service knows no protocol.
 */

/** What a login is told. */
export interface Outcome {
  /** `unknown`: no provider knows the user, and the login goes on with nothing added or changed. */
  readonly verdict: 'grant' | 'unknown' | 'deny';
  /**
   * `grant`: the value of `acl_groups` in Dovecot's notation, as the bytes of its UTF-8, one character each: what goes into a reply is
   * made once, when the answer is. `deny`: why, for people. Else empty.
   */
  readonly text: string;
}

/** What the service tells about itself, by name; what `cn=monitor` and `acl-groups status` show. */
export type Monitor = Readonly<Record<string, number | string | readonly string[]>>;

/** What a piece of input asks for. Replies are latin1 texts, one character a byte. */
export type Step =
  | {
      readonly kind: 'login';
      /** Tells this request from others of the same conversation that have no answer yet. */
      readonly id: number;
      /** @throws UsageError for a user that can't be looked up */
      readonly facts: () => LoginFacts;
      /** `undefined` where the protocol's word for "denied" is to close the connection. */
      readonly reply: (outcome: Outcome) => string | undefined;
    }
  /** A question about the service itself. */
  | { readonly kind: 'monitor'; readonly reply: (monitor: Monitor) => string }
  /** What needs no lookup. */
  | { readonly kind: 'reply'; readonly reply: string }
  /** The client doesn't want the answer to a request any more. */
  | { readonly kind: 'abandon'; readonly id: number }
  /** The conversation is over. With `refused`, because of what the client sent; quotes nothing of it, as that may hold secrets. */
  | { readonly kind: 'end'; readonly refused?: string; readonly farewell?: string };

/** One client's side of a protocol, in whatever pieces it arrives. After a step of kind `end` nothing more is pushed. */
export interface Conversation {
  push(chunk: Buffer): readonly Step[];
  /** Whether something has arrived that makes no whole request yet. */
  readonly partial: boolean;
}

/** A protocol. */
export interface Door {
  /** For logs and counters. */
  readonly name: string;
  /**
   * How requests on one connection are answered. `in-turn`: one after the other, and a connection without a request is closed after a
   * while. `as-ready`: many at a time, in the order in which answers are there, and a connection may rest as long as it likes.
   */
  readonly order: 'in-turn' | 'as-ready';
  /** Whether the value has to fit into the reply of Dovecot's auth process. */
  readonly narrow: boolean;
  /** Whether a client that sends this first speaks the protocol. */
  detects(firstByte: number): boolean;
  open(): Conversation;
}
