import { X509Certificate } from 'node:crypto';
import { closeSync, readFileSync, statSync } from 'node:fs';
import { type ConnectionOptions, createSecureContext } from 'node:tls';
import { ConfigError, explain } from '../../support/errors.js';
import { openRegularFile, readTrustedFile, UntrustedFileError } from '../../support/trusted-file.js';

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
    const { descriptor } = openRegularFile(path);
    try {
      return readFileSync(descriptor, 'utf8');
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw new ConfigError(`${option}: ${path} can't be read: ${explain(error)}`, { cause: error });
  }
}

/**
 * The password in a file, without the newline that editors end it with.
 * @throws ConfigError for a file that is missing, empty, readable by others than its owner, or somebody else's
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
  // LDAP takes an empty password for an anonymous bind (RFC 4513, 5.1.2) and says yes to it.
  if (password === '') throw new ConfigError(`${path}: refused: the password file is empty`);
  return password;
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
