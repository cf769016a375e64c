import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type ConnectionOptions, createSecureContext } from 'node:tls';
import { ConfigError, explain } from '../../support/errors.js';

/** The TLS part of the options; paths are absolute, or empty. */
export interface TlsFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
}

/** What each TLS connection starts from. Certificates are always verified: there is no way to say otherwise. */
export interface TlsSettings {
  /** Reads the files, so that a connection opened later knows renewed ones. @throws ConfigError */
  options(): ConnectionOptions;
}

/** @throws ConfigError for files that are missing or that hold no certificate or key */
export function tlsSettings(files: TlsFiles): TlsSettings {
  if ((files.cert === '') !== (files.key === '')) {
    throw new ConfigError('tls_cert_file and tls_key_file belong together: give both or neither');
  }
  const named = files.ca !== '' || files.cert !== '';
  // What was read to be checked at start serves the first connection: exec mode makes only one.
  let checked = named ? load(files) : undefined;
  return {
    options() {
      const options = checked ?? load(files);
      checked = undefined;
      return options;
    },
  };
}

function load({ ca, cert, key, minVersion }: TlsFiles): ConnectionOptions {
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
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError(`${option}: ${path} can't be read: ${explain(error)}`, { cause: error });
  }
}
