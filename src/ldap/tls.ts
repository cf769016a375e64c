import { X509Certificate } from 'node:crypto';
import { closeSync, readFileSync } from 'node:fs';
import { type ConnectionOptions, createSecureContext } from 'node:tls';
import { ConfigError, explain } from '../support/errors.js';
import { openRegularFile } from '../support/trusted-file.js';

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
