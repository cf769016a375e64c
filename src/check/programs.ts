import { execFile } from 'node:child_process';

/** Where Dovecot's and the system's programs are, whatever PATH says. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** Milliseconds: what hangs must not hang the whole check. */
const TIMEOUT = 20_000;

/** How a program ended. `status` is `undefined` for one that isn't there, or was killed. */
export interface Ran {
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly missing: boolean;
}

/** Runs a program to its end, with an empty environment but PATH. */
export function run(program: string, words: readonly string[]): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(
      program,
      words,
      { env: { PATH, LC_ALL: 'C' }, timeout: TIMEOUT, maxBuffer: 1 << 26 },
      (error, stdout, stderr) => {
        const status = error === null ? 0 : typeof error.code === 'number' ? error.code : undefined;
        resolve({ status, stdout, stderr, missing: error?.code === 'ENOENT' });
      },
    );
    child.stdin?.end();
  });
}
