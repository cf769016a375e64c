import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A certificate and its key, as PEM files. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** A certificate authority of the test's own. */
export interface Ca {
  /** PEM file of its certificate. */
  readonly file: string;
  /** Makes a certificate. `names` are subjectAltName entries, such as "DNS:localhost" and "IP:127.0.0.1"; `days` may lie in the past. */
  issue(name: string, names: readonly string[], days?: number): Certificate;
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc'];

/** Makes a CA in a directory. Keys are elliptic, because they are made in no time. */
export function makeCa(directory: string, name = 'ca'): Ca {
  const file = join(directory, `${name}.pem`);
  const key = join(directory, `${name}.key`);
  openssl(['req', '-x509', ...KEY, '-keyout', key, '-out', file, '-subj', `/CN=${name} of a test`, '-days', '30']);
  return {
    file,
    issue(subject, names, days = 30) {
      const base = join(directory, `${name}-${subject}`);
      writeFileSync(`${base}.ext`, names.length > 0 ? `subjectAltName=${names.join(',')}\n` : 'basicConstraints=CA:FALSE\n');
      openssl(['req', ...KEY, '-keyout', `${base}.key`, '-out', `${base}.csr`, '-subj', `/CN=${subject}`]);
      openssl(
        ['x509', '-req', '-in', `${base}.csr`, '-CA', file, '-CAkey', key, '-CAcreateserial'].concat(
          ['-days', String(days)],
          ['-extfile', `${base}.ext`, '-out', `${base}.pem`],
        ),
      );
      return { cert: `${base}.pem`, key: `${base}.key` };
    },
  };
}

function openssl(args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
