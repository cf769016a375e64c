import type { Config } from '../config.js';
import type { DovecotVersion } from './acl-groups.js';

/** Which Dovecot's rules apply, and how that is known. */
export interface VersionFound {
  readonly version: DovecotVersion;
  readonly source: 'configured' | 'DOVECOT_VERSION' | 'dovecot --version';
}

/** script-login leaves no PATH, and Debian keeps the program in sbin. */
const PROGRAMS = ['/usr/sbin/dovecot', '/usr/local/sbin/dovecot', '/usr/bin/dovecot', '/usr/local/bin/dovecot'];

/** The version that a text like "2.4.1-4 (7d8c0e5759)" belongs to; `undefined` before 2.3, whose rules nobody measured. */
export function versionOf(text: string): DovecotVersion | undefined {
  const [, major, minor] = /^\s*(\d+)\.(\d+)/.exec(text) ?? [];
  const number = Number(major) * 1000 + Number(minor);
  if (!(number >= 2003)) return undefined;
  return number >= 2004 ? '2.4' : '2.3';
}

/** The version by configuration, then by DOVECOT_VERSION (which the master sets for its services), then by asking the program. */
export async function findVersion(config: Pick<Config, 'dovecot_version'>, env: NodeJS.ProcessEnv): Promise<VersionFound | undefined> {
  if (config.dovecot_version !== 'auto') return { version: config.dovecot_version, source: 'configured' };
  const told = versionOf(env.DOVECOT_VERSION ?? '');
  if (told !== undefined) return { version: told, source: 'DOVECOT_VERSION' };
  // Rarely needed, and slow to load: it brings sockets and streams.
  const [{ execFile }, { promisify }] = await Promise.all([import('node:child_process'), import('node:util')]);
  const run = promisify(execFile);
  for (const program of PROGRAMS) {
    try {
      const { stdout } = await run(program, ['--version'], { timeout: 2000, env: {} });
      const version = versionOf(stdout);
      if (version !== undefined) return { version, source: 'dovecot --version' };
    } catch {
      // Not there, or not willing: the next one may be.
    }
  }
  return undefined;
}
