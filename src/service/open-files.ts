import { readdirSync, readFileSync } from 'node:fs';

/** How many clients may be connected at a time, and the limit that this comes from, if it isn't one of ours. */
export interface Room {
  readonly connections: number;
  readonly openFiles: number | undefined;
}

/** Each mail process that logs a user in holds a connection for a few milliseconds, and Dovecot's auth processes hold one each. */
const MOST_CONNECTIONS = 16_384;
/** However low the limit is: with fewer, Dovecot's auth process and one of its workers keep everybody else out. */
const FEWEST_CONNECTIONS = 4;

/**
 * Descriptors for what answers are made of: files, directory servers, the processes that ask for accounts (src/providers/unix), threads, which
 * take some seven each. A quarter of all, within these bounds.
 */
const RESERVE = { least: 16, most: 256 } as const;

/** What the limit of open files leaves for connections, beside what is open now and the reserve. Without procfs there is no such limit to see. */
export function roomForConnections(): Room {
  try {
    const [, soft = ''] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === '' ? NO_LIMIT : roomWithin(Number(soft), readdirSync('/proc/self/fd').length);
  } catch {
    return NO_LIMIT;
  }
}

const NO_LIMIT: Room = { connections: MOST_CONNECTIONS, openFiles: undefined };

/** What a limit leaves for connections where so many descriptors are open. */
export function roomWithin(limit: number, open: number): Room {
  const reserve = Math.min(RESERVE.most, Math.max(RESERVE.least, Math.floor(limit / 4)));
  const connections = Math.max(FEWEST_CONNECTIONS, limit - open - reserve);
  return connections >= MOST_CONNECTIONS ? NO_LIMIT : { connections, openFiles: limit };
}
