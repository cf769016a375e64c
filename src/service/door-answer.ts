/** What a service said about a user through one of its doors. */
export interface DoorAnswer {
  readonly outcome: 'granted' | 'unknown-user' | 'denied';
  /** The value of `acl_groups`; empty unless granted. */
  readonly value: string;
  /** Why the login is denied, where the protocol says so; empty otherwise. */
  readonly reason: string;
  /** From connecting to the end of the reply, in milliseconds. */
  readonly elapsed: number;
}

/** How long an answer is waited for unless said otherwise: as long as a mail process waits (lib-login, postlogin_timeout_secs), in milliseconds. */
export const ANSWER_TIMEOUT = 60_000;
