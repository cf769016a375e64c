import type { DoorAnswer } from '../service/door-answer.js';
import { askPostLogin } from '../service/post-login-client.js';
import { askUserdb, readMonitor } from '../service/userdb-client.js';
import { explain } from '../support/errors.js';

/** What a service answered, by both of its protocols; an Error where it didn't. */
export interface Probe {
  readonly socket: string;
  readonly user: string;
  readonly userdb: DoorAnswer | Error;
  readonly postLogin: DoorAnswer | Error;
  readonly monitor: Readonly<Record<string, string | readonly string[]>> | Error;
}

/** Longer than the `timeout` of most configurations; a service that needs more holds up logins. Milliseconds. */
const TIMEOUT = 15_000;

/** Asks a service about a user and about itself, one question after the other: the first one is who waits for a lookup. */
export async function probeService(socket: string, user: string): Promise<Probe> {
  const monitor = await attempt(() => readMonitor(socket, TIMEOUT));
  const userdb = await attempt(() => askUserdb(socket, user, TIMEOUT));
  const postLogin = await attempt(() => askPostLogin(socket, user, TIMEOUT));
  return { socket, user, userdb, postLogin, monitor };
}

async function attempt<T>(ask: () => Promise<T>): Promise<T | Error> {
  try {
    return await ask();
  } catch (error) {
    return error instanceof Error ? error : new Error(explain(error));
  }
}

/** A message without the socket in front, which is the place of the finding already. */
export function withoutPlace(thrown: Error, { socket }: Pick<Probe, 'socket'>): string {
  const message = explain(thrown);
  return message.startsWith(`${socket}: `) ? message.slice(socket.length + 2) : message;
}
