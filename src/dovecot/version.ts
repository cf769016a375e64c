import type { DovecotVersion } from './notation.js';

/** Which Dovecot's rules apply, and how that is known. */
export interface VersionFound {
  readonly version: DovecotVersion;
  readonly source: '-D' | 'dovecot_version' | 'DOVECOT_VERSION' | 'dovecot --version';
  /** What the source said, in full. */
  readonly text: string;
}

/** What was said about the version before anybody looks for it. */
export interface VersionChoice {
  /** The command line's word. */
  readonly dovecotOption: DovecotVersion | undefined;
  /** The configuration's. */
  readonly dovecot_version: DovecotVersion | 'auto';
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

/**
 * The version by the command line, then by configuration, then by DOVECOT_VERSION (which the master sets for its services), then
 * by asking the program.
 */
export async function findVersion(
  { dovecotOption: option, dovecot_version: configured }: VersionChoice,
  env: NodeJS.ProcessEnv,
  programs: readonly string[] = PROGRAMS,
): Promise<VersionFound | undefined> {
  if (option !== undefined) return { version: option, source: '-D', text: option };
  if (configured !== 'auto') return { version: configured, source: 'dovecot_version', text: configured };
  const { DOVECOT_VERSION: told = '' } = env;
  const version = versionOf(told);
  if (version !== undefined) return { version, source: 'DOVECOT_VERSION', text: told };
  return askPrograms(programs);
}

/** Finds the version when it is first needed, and then knows it. One that wasn't found is looked for again: Dovecot may have been busy. */
export function createVersionFinder(...found: Parameters<typeof findVersion>): () => Promise<VersionFound | undefined> {
  let finding: Promise<VersionFound | undefined> | undefined;
  return async () => {
    finding ??= findVersion(...found);
    const version = await finding;
    if (version === undefined) finding = undefined;
    return version;
  };
}

async function askPrograms(programs: readonly string[]): Promise<VersionFound | undefined> {
  // Rarely needed, and slow to load: it brings sockets and streams.
  const [{ execFile }, { promisify }] = await Promise.all([import('node:child_process'), import('node:util')]);
  const run = promisify(execFile);
  for (const program of programs) {
    try {
      const { stdout } = await run(program, ['--version'], { timeout: 2000, env: {} });
      const version = versionOf(stdout);
      if (version !== undefined) return { version, source: 'dovecot --version', text: stdout.trim() };
    } catch {
      // Not there, or not willing: the next one may be.
    }
  }
  return undefined;
}
