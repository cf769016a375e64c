import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { ConfigError, explain } from '../../support/errors.js';

/**
 * The password in a file, without the newline that editors end it with.
 * @throws ConfigError for a file that is missing, empty, or readable by others than its owner
 */
export function readPasswordFile(path: string): string {
  let descriptor: number | undefined;
  try {
    // Opened first, so that what is checked is what is read.
    descriptor = openSync(path, 'r');
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) throw new ConfigError(`${path}: refused: a password file has to be a regular file`);
    if ((stat.mode & 0o077) !== 0) {
      throw new ConfigError(
        `${path}: refused: readable by others than its owner (mode ${(stat.mode & 0o777).toString(8)}); mend it with: chmod 600 ${path}`,
      );
    }
    const password = readFileSync(descriptor, 'utf8').replace(/\r?\n$/, '');
    // LDAP takes an empty password for an anonymous bind (RFC 4513, 5.1.2) and says yes to it.
    if (password === '') throw new ConfigError(`${path}: refused: the password file is empty`);
    return password;
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`${path}: the password file can't be read: ${explain(error)}`, { cause: error });
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
