import { statSync } from 'node:fs';
import { ConfigError, explain } from './errors.js';
import { readTrustedFile, UntrustedFileError } from './trusted-file.js';

/**
 * The password in a file, without the newline that editors end it with.
 * @throws ConfigError for a file that is missing, empty, readable by others than its owner, or another user's
 */
export function readPasswordFile(path: string): string {
  let password: string;
  try {
    password = readTrustedFile(path, { secret: true })
      .toString()
      .replace(/\r?\n$/, '');
  } catch (error) {
    if (error instanceof UntrustedFileError) throw new ConfigError(error.message, { cause: error });
    throw new ConfigError(`${path}: the password file can't be read: ${explain(error)}`, { cause: error });
  }
  if (password === '') throw new ConfigError(`${path}: refused: the password file is empty`);
  return password;
}

/** Tells whether any of these files has changed: what stat(2) says of them. */
export function stampOf(paths: readonly string[]): string {
  return paths
    .map((path) => {
      const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
      return stat === undefined ? '' : [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(':');
    })
    .join(' ');
}
