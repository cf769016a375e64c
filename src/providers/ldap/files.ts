import { X509Certificate } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readFileSync, statSync } from 'node:fs';
import { type ConnectionOptions, createSecureContext } from 'node:tls';
import { ConfigError, explain } from '../../support/errors.js';

/** The TLS part of the options; paths are absolute, or empty. */
export interface TlsFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
}

/**
 * What a TLS connection starts from, the files read now, so that each connection knows renewed ones. Certificates are always verified:
 * there is no way to say otherwise.
 * @throws ConfigError for files that are missing or that hold no certificate or key
 */
export function readTlsFiles({ ca, cert, key, minVersion }: TlsFiles): ConnectionOptions {
  if ((cert === '') !== (key === '')) throw new ConfigError('tls_cert_file and tls_key_file belong together: give both or neither');
  const given = {
    minVersion,
    ...(ca !== '' && { ca: certificates('tls_ca_file', ca) }),
    ...(cert !== '' && { cert: certificates('tls_cert_file', cert), key: read('tls_key_file', key) }),
  };
  try {
    return { ...given, secureContext: createSecureContext(given) };
  } catch (error) {
    throw new ConfigError(`tls_cert_file ${cert} and tls_key_file ${key} can't be used together: ${explain(error)}`, { cause: error });
  }
}

/** Checked, because OpenSSL takes a file that holds no certificate for an empty list of them. */
function certificates(option: string, path: string): string {
  const text = read(option, path);
  try {
    new X509Certificate(text);
  } catch (error) {
    throw new ConfigError(`${option}: ${path} holds no certificate in PEM form: ${explain(error)}`, { cause: error });
  }
  return text;
}

function read(option: string, path: string): string {
  try {
    return readRegularFile(path, () => undefined);
  } catch (error) {
    throw new ConfigError(`${option}: ${path} can't be read: ${explain(error)}`, { cause: error });
  }
}

/**
 * The password in a file, without the newline that editors end it with.
 * @throws ConfigError for a file that is missing, empty, or readable by others than its owner
 */
export function readPasswordFile(path: string): string {
  try {
    const password = readRegularFile(path, (mode) => {
      if ((mode & 0o077) === 0) return;
      throw new ConfigError(
        `${path}: refused: readable by others than its owner (mode ${(mode & 0o777).toString(8)}); fix it with: chmod 600 ${path}`,
      );
    }).replace(/\r?\n$/, '');
    // LDAP takes an empty password for an anonymous bind (RFC 4513, 5.1.2) and says yes to it.
    if (password === '') throw new ConfigError(`${path}: refused: the password file is empty`);
    return password;
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`${path}: the password file can't be read: ${explain(error)}`, { cause: error });
  }
}

/** Opened first, so that what is checked is what is read, and without waiting for the writer of a FIFO. */
function readRegularFile(path: string, checkMode: (mode: number) => void): string {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) throw new ConfigError(`${path}: refused: it has to be a regular file`);
    checkMode(stat.mode);
    return readFileSync(descriptor, 'utf8');
  } finally {
    closeSync(descriptor);
  }
}

/** Tells whether any of these files has changed: what stat(2) says of them. */
export function stampOf(paths: readonly string[]): string {
  return paths
    .filter((path) => path !== '')
    .map((path) => {
      const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
      return stat === undefined ? '' : [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(':');
    })
    .join(' ');
}
