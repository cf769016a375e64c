import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { ASKED_BY_NAME, type DovecotFacts, factsOf } from './facts.js';
import { run } from './programs.js';

/** A Dovecot that was found, or why there is none to look at. */
export type FoundDovecot =
  | {
      readonly facts: DovecotFacts;
      readonly how: string;
      /** Whether it runs, as far as is known. */
      readonly runs: boolean;
    }
  | { readonly place: string; readonly problem: string; readonly fix: string };

const DEFAULT_FILE = '/etc/dovecot/dovecot.conf';

/** Reads a Dovecot's configuration by its own doveconf: of the file given, of the running Dovecot, or Dovecot's default file. */
export async function findDovecot(given: string | undefined): Promise<FoundDovecot> {
  const running = given === undefined ? runningConfigs() : [];
  if (running.length > 1) {
    return { place: 'dovecot', problem: `more than one runs here: ${running.join(', ')}`, fix: 'choose one: acl-groups check -d FILE' };
  }
  const file = given ?? running[0] ?? DEFAULT_FILE;
  const how =
    given !== undefined ? 'by --dovecot-config' : running.length > 0 ? 'of the running Dovecot' : "Dovecot's default file; none runs";
  // Hides what is secret, unless it is asked for it.
  const [all, named] = await Promise.all([run('doveconf', ['-c', file]), run('doveconf', ['-c', file, ...ASKED_BY_NAME])]);
  if (all.missing) return { place: 'dovecot', problem: 'doveconf is not installed', fix: 'install dovecot-core' };
  if (all.status !== 0) {
    // No more of the message: it may quote the line, and the line may hold a secret.
    const [, place, line] = /Error in configuration file (\S+?):? line (\d+)/.exec(all.stderr) ?? [];
    // 2.4 knows the settings of userdb ldap only where it is installed.
    if (/Unknown setting: \S*ldap/.test(all.stderr)) {
      return { place: file, problem: "it has settings of userdb ldap, which isn't installed", fix: 'install the package dovecot-ldap' };
    }
    const where = place === undefined ? '' : `: see ${place} line ${line}`;
    return { place: file, problem: `doveconf can't read it${where}`, fix: `what it says is shown by: doveconf -n -c ${file}` };
  }
  try {
    return { facts: factsOf(all.stdout, named.stdout, file, readSettings), how, runs: given !== undefined || running.length > 0 };
  } catch (error) {
    return { place: file, problem: error instanceof Error ? error.message : String(error), fix: 'install Dovecot 2.3 or newer' };
  }
}

/** The configuration files of the masters that run where this process does. */
function runningConfigs(): readonly string[] {
  const files = new Set<string>();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (!seesOurFiles(pid)) continue;
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      if (!/(^|\/)sbin\/dovecot$/.test(readlinkSync(`/proc/${pid}/exe`)) || !/(^|\/)dovecot$/.test(words[0] ?? '')) continue;
      const option = words.indexOf('-c');
      files.add((option < 0 ? undefined : words[option + 1]) ?? DEFAULT_FILE);
    } catch {
      // Gone, or somebody else's.
    }
  }
  return [...files];
}

/**
 * Whether a process has the files that this one has: it is in our mount namespace, or in one that the init system made for a service on
 * the same root, as systemd does for Dovecot (PrivateTmp=, ProtectSystem=).
 */
function seesOurFiles(pid: string): boolean {
  if (readlinkSync(`/proc/${pid}/ns/mnt`) === readlinkSync('/proc/self/ns/mnt')) return true;
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // proc(5): the second field, in parentheses, is the name; the fourth the parent.
  const parent = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1];
  const [theirs, ours] = [statSync(`/proc/${pid}/root/`), statSync('/')];
  return parent === '1' && theirs.dev === ours.dev && theirs.ino === ours.ino;
}

/** What 2.3 keeps for LDAP in files of their own, which doveconf never sees: lines of `name = value` (lib-settings/settings.c). */
function readSettings(path: string): ReadonlyMap<string, string> | undefined {
  try {
    const lines = readFileSync(path, 'utf8')
      .replaceAll(/\\\n\s*/g, ' ')
      .split('\n');
    return new Map(
      lines.flatMap((line) => {
        const [, name, value = ''] = /^\s*([a-z_]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
        return name === undefined ? [] : [[name, value.replace(/^(["'])(.*)\1$/, '$2')] as const];
      }),
    );
  } catch {
    return undefined;
  }
}
