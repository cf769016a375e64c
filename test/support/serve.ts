import type { Dovecot } from './dovecot.js';
import { SPELLING } from './dovecot-config.js';
import type { DovecotVersion } from './world.js';

/** The service block of the README. `words` follow `serve`. */
export function serveBlock(version: DovecotVersion, command: string, words = ''): string {
  const { internalUser, noLimit } = SPELLING[version];
  return `
service acl-groups {
  executable = ${command} serve${words === '' ? '' : ` ${words}`}
  user = ${internalUser}
  drop_priv_before_exec = yes
  process_min_avail = 1
  process_limit = 1
  client_limit = 1000
  vsz_limit = ${noLimit}
  unix_listener acl-groups {
    mode = 0600
  }
}
`;
}

/** The process ids of the service, old ones that still end included. */
export async function servicePids(dovecot: Dovecot): Promise<readonly number[]> {
  return (await dovecot.processes()).filter(({ command }) => /acl-groups\.cjs serve/.test(command)).map(({ pid }) => pid);
}

/**
 * The process id of the service, once it serves.
 * @throws Error unless there is just one
 */
export async function servicePid(dovecot: Dovecot): Promise<number> {
  await dovecot.log.wait(/ acl-groups: Info: acl-groups \S+ serves logins/);
  const [pid, ...others] = await servicePids(dovecot);
  if (pid === undefined || others.length > 0) throw new Error(`not one service but ${others.length + (pid === undefined ? 0 : 1)}`);
  return pid;
}

/** Resolves when a process is gone. Nobody reports the end of somebody else's child, so this looks. */
export async function gone(pid: number): Promise<void> {
  while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 5));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
