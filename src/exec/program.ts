import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { AclGroupsError, EXIT } from '../support/errors.js';
import { type Environment, keysOf, textOf } from './environment.js';

/** Where programs are looked for when there is no PATH, or only one that the userdb has given. */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Where Perl is: Debian and most others, then BSD. */
const PERL: readonly string[] = ['/usr/bin/perl', '/usr/local/bin/perl', '/bin/perl'];

/**
 * The path of the program to exec, which is looked for by PATH if it has no slash.
 * @throws AclGroupsError for a program that can't be executed: the shell's own words for that don't say where it was looked for
 */
export function findProgram(program: string, environment: Environment): string {
  // Whoever can change a field of the userdb is not to decide which program runs.
  const given = keysOf(environment).some((key) => key.toUpperCase() === 'PATH');
  const path = (given ? undefined : textOf(environment, 'PATH')) ?? DEFAULT_PATH;
  const candidates = program.includes('/') ? [program] : path.split(':').map((directory) => join(directory || '.', program));
  const found = candidates.find(isExecutable);
  if (found !== undefined) return found;
  const where = program.includes('/') ? (existsSync(program) ? 'is not an executable file' : 'does not exist') : `is not in ${path}`;
  throw new AclGroupsError(
    `the program "${program}" ${where}; fix the service's executable line, in which each program is given by its full path`,
    EXIT.unavailable,
  );
}

/**
 * The path of Perl, which gives the program an environment that no shell can hold.
 * @throws AclGroupsError naming the variable that needs it
 */
export function findPerl(variable: string, candidates: readonly string[] = PERL): string {
  const found = candidates.find(isExecutable);
  if (found !== undefined) return found;
  throw new AclGroupsError(
    `the variable ${variable} can't go through a shell, and there is no ${candidates[0]} to pass it on; login denied; install perl, or give Dovecot the groups by the userdb door, which needs none`,
    EXIT.unavailable,
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
