import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Dovecot } from './dovecot.js';
import { PROJECT } from './project.js';
import type { DovecotVersion } from './world.js';

/** The service block that everybody copies, for a command of another path. `words` follow `serve`. */
export function serveBlock(version: DovecotVersion, command: string, words = ''): string {
  const file = readFileSync(join(PROJECT, `src/package/dovecot/userdb-${version}.conf`), 'utf8');
  const [block = ''] = /^service acl-groups \{\n.*?^\}\n/ms.exec(file) ?? [];
  const executable = '/usr/bin/acl-groups serve';
  if (!block.includes(executable)) throw new Error(`the service block for Dovecot ${version} has no ${executable}`);
  return block.replace(executable, () => `${command} serve${words === '' ? '' : ` ${words}`}`);
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
