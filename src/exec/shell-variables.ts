import { statSync } from 'node:fs';
import { AclGroupsError, EXIT } from '../support/errors.js';
import { keysOf } from './environment.js';
import type { Launcher } from './launcher.js';

/** How the program gets the environment that the launcher was started with, except ACL_GROUPS and USERDB_KEYS, which the launcher sets. */
export interface Handover {
  /** Variables that the shell is to unset. */
  readonly unset: readonly string[];
  /** All variables (NAME=value), where the shell can't keep one of them; else none. */
  readonly variables: readonly Buffer[];
  /** One that the shell can't keep. */
  readonly lost: string | undefined;
}

/** What the launcher sets, and what a shell leaves behind in any case: bash its _ and SHLVL, busybox its SHLVL. */
const OWN = /^(?:ACL_GROUPS|USERDB_KEYS|SHLVL|_)$/;

/** dash and busybox drop variables with other names. */
const SHELL_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Variables that dash, busybox or bash set themselves, whatever they were (and what the launcher calls its own). The launcher has the same
 * list for its cache.
 */
const SET_BY_SHELLS =
  /^(?:IFS|OPT[IE].*|PPID|OLDPWD|PS[124]|LINENO|S?RANDOM|SECONDS|SHELLOPTS|EPOCH.*|BASH.*|COMP_WORDBREAKS|HISTCMD|ag_.*)$/;

/** What shells add where it isn't: all of them PWD, busybox PATH. */
const ADDED: readonly string[] = ['PWD', 'PATH'];

/** What bash refuses to unset, and what the launcher needs. */
const NOT_UNSET = /^(?:UID|EUID|PPID|SHELLOPTS|BASHOPTS|BASH_VERSINFO|ag_(?!kept_).*)$/;

/**
 * How to hand over what the launcher was started with. `isHere` says whether a path is the current directory's.
 * @throws AclGroupsError for a variable that is lost because there is no procfs to find it in
 */
export function handOver(
  { environment, whole }: Pick<Launcher, 'environment' | 'whole'>,
  isHere: (path: string) => boolean = isCurrentDirectory,
): Handover {
  if (!whole) {
    const missing = keysOf(environment).find((key) => !SHELL_NAME.test(key));
    if (missing === undefined) return { unset: [], variables: [], lost: undefined };
    throw new AclGroupsError(
      `the userdb's field ${missing.toLowerCase()} can't go through a shell, and there is no /proc/PID/environ to read it from; login denied; mount procfs, or give Dovecot the groups by the userdb door`,
      EXIT.unavailable,
    );
  }
  const pwd = environment.get('PWD');
  const lost = [...environment.keys()].find(
    (name) => !OWN.test(name) && (!SHELL_NAME.test(name) || SET_BY_SHELLS.test(name) || (name === 'PWD' && !isHere(pwd ?? ''))),
  );
  if (lost === undefined) return { unset: ADDED.filter((name) => !environment.has(name)), variables: [], lost };
  const variables = [...environment].filter(([name]) => name !== 'ACL_GROUPS' && name !== 'USERDB_KEYS');
  return {
    unset: variables.map(([name]) => name).filter((name) => SHELL_NAME.test(name) && !NOT_UNSET.test(name)),
    variables: variables.map(([name, value]) => Buffer.from(`${name}=${value}`, 'latin1')),
    lost,
  };
}

/** Whether a shell keeps this PWD (POSIX, sh: PWD). */
function isCurrentDirectory(path: string): boolean {
  if (!path.startsWith('/') || /\/\.\.?(?:\/|$)/.test(path)) return false;
  const there = statSync(Buffer.from(path, 'latin1'), { throwIfNoEntry: false });
  const here = statSync('.', { throwIfNoEntry: false });
  return there !== undefined && there.ino === here?.ino && there.dev === here.dev;
}
