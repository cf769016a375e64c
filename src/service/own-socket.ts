import { linkSync, lstatSync, renameSync, type Stats, statSync, unlinkSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';
import { AclGroupsError, EXIT, explain, UsageError } from '../support/errors.js';
import { random32 } from '../support/random.js';
import { BACKLOG } from './gate.js';

/** What sockaddr_un holds on Linux (108), less the NUL and the suffix of the socket in the making. */
const LONGEST_PATH = 96;
/** How often a socket that others replace at the same time is tried for. */
const ATTEMPTS = 5;

/** A socket that listens under a name that is this process's alone. */
export interface HiddenSocket {
  /**
   * Gives it its path. A file that a dead process left is replaced; of several processes that start at once, one gets the path. Returns what
   * removes the file again.
   * @throws AclGroupsError when another process listens there, or when the path can't be used
   */
  publish(): Promise<() => void>;
  /** Ends it. */
  discard(): void;
}

/**
 * Listens on a socket file of its own, which is there only once it listens, and has its mode from the beginning. `prepare` is called right
 * before it is made.
 * @throws AclGroupsError when the path can't be used
 */
export async function listenHidden(
  server: Server,
  path: string,
  mode: number,
  prepare: () => Promise<void> = () => Promise.resolve(),
): Promise<HiddenSocket> {
  if (Buffer.byteLength(path) > LONGEST_PATH) throw new UsageError(`${path}: the path of a socket has ${LONGEST_PATH} bytes at most`);
  // It gets its own name by link(2), which never replaces anything.
  const draft = privateName(path);
  const discard = (): void => {
    unlinkIfThere(draft);
    server.close();
  };
  const unusable = (error: unknown): never => {
    discard();
    if (error instanceof AclGroupsError) throw error;
    throw new AclGroupsError(`${path}: can't listen there: ${explain(error)}`, EXIT.unavailable, { cause: error });
  };
  try {
    // For a directory that is missing, libuv's bind says "permission denied".
    statSync(dirname(path));
    await prepare();
    await listenWithMode(server, draft, mode);
  } catch (error) {
    return unusable(error);
  }
  return {
    discard,
    async publish() {
      try {
        const own = lstatSync(draft);
        await takePath(draft, path);
        unlinkIfThere(draft);
        return () => {
          if (isSame(statIfThere(path), own)) unlinkSync(path);
        };
      } catch (error) {
        return unusable(error);
      }
    },
  };
}

function listenWithMode(server: Server, path: string, mode: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // bind(2) happens before listen() returns, and the umask is the only way to give a socket its mode at birth.
    const umask = process.umask(0o777 & ~mode);
    try {
      server.listen({ path, backlog: BACKLOG }, () => {
        server.off('error', reject);
        resolve();
      });
    } finally {
      process.umask(umask);
    }
  });
}

async function takePath(draft: string, path: string): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      linkSync(draft, path);
      return;
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error;
    }
    const found = statIfThere(path);
    if (found === undefined) continue;
    if (!found.isSocket()) throw new AclGroupsError(`${path}: there is a file that is no socket; it was left alone`, EXIT.unavailable);
    if (await isAlive(path)) throw new AclGroupsError(`${path}: another process listens there`, EXIT.unavailable);
    removeDead(path, found);
  }
  throw new AclGroupsError(`${path}: other processes keep on replacing it`, EXIT.unavailable);
}

/** Removes a dead socket, and nothing that came in its place since it was looked at. */
function removeDead(path: string, dead: Stats): void {
  const aside = privateName(path);
  try {
    renameSync(path, aside);
  } catch (error) {
    // Somebody else was faster.
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  try {
    if (!isSame(lstatSync(aside), dead)) linkSync(aside, path);
  } finally {
    unlinkSync(aside);
  }
}

/** Whether somebody listens: a connection that is refused is the only proof that nobody does. */
function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.on('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.on('error', (error) => resolve(!hasCode(error, 'ECONNREFUSED') && !hasCode(error, 'ENOENT')));
  });
}

/** A name beside the path. Not the process id: containers that share a directory may share that, too. */
function privateName(path: string): string {
  return `${path}.${random32().toString(16).padStart(8, '0')}`;
}

function isSame(a: Stats | undefined, b: Stats): boolean {
  return a !== undefined && a.dev === b.dev && a.ino === b.ino;
}

function statIfThere(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
