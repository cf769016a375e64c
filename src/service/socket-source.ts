import { findMaster, isSocketDescriptor, type Master } from '../dovecot/master.js';
import { UsageError } from '../support/errors.js';

/** Where the service's socket comes from. */
export type SocketSource =
  | { readonly kind: 'dovecot'; readonly master: Master }
  /** Listening sockets by descriptor. */
  | { readonly kind: 'systemd'; readonly listeners: readonly number[] }
  | { readonly kind: 'path'; readonly path: string; readonly mode: number };

/** The first descriptor that systemd hands over (sd_listen_fds(3), SD_LISTEN_FDS_START). */
const SYSTEMD_FD_FIRST = 3;
/** Who may log users in is decided by who may ask this service: nobody but its owner, unless said otherwise. */
const DEFAULT_MODE = 0o600;

/**
 * Finds the socket: the one that the command line names, else what Dovecot's master or systemd has handed over.
 * @throws UsageError when there is none
 */
export function findSocketSource(
  options: { readonly listen?: string | undefined; readonly mode?: number | undefined },
  env: NodeJS.ProcessEnv,
  pid: number,
  isSocket: (descriptor: number) => boolean = isSocketDescriptor,
): SocketSource {
  const { listen, mode } = options;
  if (listen !== undefined) return { kind: 'path', path: listen, mode: mode ?? DEFAULT_MODE };
  if (mode !== undefined) throw new UsageError('--mode is about the socket of --listen; Dovecot and systemd set that of theirs');
  const master = findMaster(env);
  if (master !== undefined) {
    if (master.listeners.length > 0) return { kind: 'dovecot', master };
    throw new UsageError('Dovecot handed over no socket; the service needs a unix_listener in dovecot.conf');
  }
  const { LISTEN_PID: forPid, LISTEN_FDS: count = '0' } = env;
  // The variables are inherited by every child, and meant for one process.
  if (forPid === String(pid) && count !== '0') return { kind: 'systemd', listeners: systemdSockets(count, isSocket) };
  throw new UsageError("serve needs a socket: run it as a service of Dovecot, by systemd's socket activation, or with --listen path");
}

/** @throws UsageError: Node aborts when it is to listen on a descriptor that isn't open */
function systemdSockets(count: string, isSocket: (descriptor: number) => boolean): readonly number[] {
  const listeners: number[] = [];
  if (!/^[1-9]\d{0,8}$/.test(count)) throw new UsageError(`LISTEN_FDS: expected a number of sockets, found "${count}"`);
  for (let descriptor = SYSTEMD_FD_FIRST; listeners.length < Number(count); descriptor++) {
    if (!isSocket(descriptor))
      throw new UsageError(`LISTEN_FDS says that ${count} sockets were handed over, but descriptor ${descriptor} is none`);
    listeners.push(descriptor);
  }
  return listeners;
}
