import type { Dovecot } from './dovecot.js';
import { type LineClient, quoted } from './imap.js';

/** How logins went that ran while something else happened. */
export interface LoginRecord {
  readonly done: number;
  /** What each login that failed was told, or why it broke off. */
  readonly failures: readonly string[];
}

/** Logs users in and out, `clients` at a time, until told to stop. */
export interface LoginLoad {
  /** Resolves when so many more logins have ended, however they went. */
  more(count: number): Promise<void>;
  /** Breaks off the logins under way, which then count as nothing: a reload may leave one without an answer from Dovecot for minutes. */
  stop(): Promise<LoginRecord>;
}

/** Starts a load; each client takes the users in turn. */
export function loginLoad(dovecot: Dovecot, users: readonly string[], clients: number): LoginLoad {
  let running = true;
  let done = 0;
  const failures: string[] = [];
  const open = new Set<LineClient>();
  const waiting = new Set<{ readonly at: number; readonly resolve: () => void }>();

  async function client(first: number): Promise<void> {
    for (let turn = first; running; turn++) {
      const user = users[turn % users.length] ?? '';
      const failure = await login(dovecot, user, open);
      if (!running) return;
      if (failure !== undefined) failures.push(`${user}: ${failure}`);
      done++;
      for (const waiter of waiting) {
        if (done < waiter.at) continue;
        waiting.delete(waiter);
        waiter.resolve();
      }
    }
  }

  const all = Promise.all(Array.from({ length: clients }, (_, index) => client(index)));
  return {
    more: (count) =>
      new Promise((resolve) => {
        waiting.add({ at: done + count, resolve });
      }),
    stop: async () => {
      running = false;
      for (const connected of open) connected.destroy();
      await all;
      return { done, failures };
    },
  };
}

/** What went wrong, if anything did: a login counts when a mailbox can be selected after it. */
async function login(dovecot: Dovecot, user: string, open: Set<LineClient>): Promise<string | undefined> {
  let client: LineClient | undefined;
  try {
    client = await dovecot.imap();
    open.add(client);
    const reply = await client.command(`LOGIN ${quoted(user)} secret`);
    if (reply.status !== 'OK') return reply.text;
    const selected = await client.command('STATUS INBOX (MESSAGES)');
    return selected.status === 'OK' ? undefined : selected.text;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    client?.destroy();
    if (client !== undefined) open.delete(client);
  }
}
