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
