import { closeSync, openSync, readFileSync } from 'node:fs';
import { type Environment, parseEnvironment } from './environment.js';

/** What the launcher says of itself when it starts Node.js for exec mode. */
export interface Launcher {
  /** Its process id, which stays the program's: the one that Dovecot started and knows. */
  readonly pid: number;
  /** Where the log is. Under an address space limit descriptor 2 is /dev/null, to keep Node.js's own last words from the log. */
  readonly logDescriptor: 2 | 4;
  /** What it was started with: what script-login and the programs before it set. */
  readonly environment: Environment;
  /** Whether that is all of it. Without procfs it is what the login is decided by, as far as the shell has kept it. */
  readonly whole: boolean;
  /** When it was started, for answers to be kept; `undefined` where nothing may be kept, or --cache-dir wasn't given. */
  readonly moment: Moment | undefined;
}

/** A moment that no change of a clock moves. */
export interface Moment {
  /** The boot, the start of process 1, and the launcher's parent (Dovecot's master) with its start. */
  readonly identity: string;
  /** Time since boot, in hundredths of a second. */
  readonly uptime: number;
}

/** The descriptor that the plan is written to: a pipe to the launcher. */
export const PLAN_DESCRIPTOR = 3;

/** The launcher that started this process; `undefined` outside exec mode. Reads stdin, once, which the launcher has put the environment on. */
export function findLauncher(): Launcher | undefined {
  launcher ??= { found: readLauncher() };
  return launcher.found;
}

let launcher: { readonly found: Launcher | undefined } | undefined;

function readLauncher(): Launcher | undefined {
  const [pid, logDescriptor, source] = (process.env.ACL_GROUPS_LAUNCHER ?? '').split(' ');
  if (source === undefined) return undefined;
  return {
    pid: Number(pid),
    logDescriptor: logDescriptor === '4' ? 4 : 2,
    environment: parseEnvironment(takeStdin()),
    whole: source === 'environ',
    moment: parseMoment(process.env.ACL_GROUPS_MOMENT ?? ''),
  };
}

/** The environment holds secrets of the userdb, and must not be found where a configuration names /dev/stdin as a file. */
function takeStdin(): string {
  const bytes = readFileSync(0, 'latin1');
  closeSync(0);
  // The lowest number is taken, which is 0.
  openSync('/dev/null', 'r');
  return bytes;
}

function parseMoment(text: string): Moment | undefined {
  const [, identity, uptime] = /^(.+) (\d+)$/.exec(text) ?? [];
  return identity === undefined ? undefined : { identity, uptime: Number(uptime) };
}
