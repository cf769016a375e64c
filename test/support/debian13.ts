import { execFile } from 'node:child_process';
import { access, mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

/** Where the Debian 13 tree with Dovecot 2.4 is kept between runs. */
export const DEBIAN_13: string = process.env.ACL_GROUPS_TEST_TRIXIE ?? '/var/cache/acl-groups-test/trixie';

/**
 * Makes the Debian 13 tree, unless it is there: Dovecot 2.4 and Debian's own Node.js, no compiler. Takes a minute or two.
 * @throws Error when debootstrap fails, or isn't installed
 */
export async function ensureDebian13(): Promise<void> {
  if (await exists(DEBIAN_13)) return;
  const unfinished = `${DEBIAN_13}.${process.pid}`;
  await mkdir(dirname(DEBIAN_13), { recursive: true });
  try {
    await promisify(execFile)('debootstrap', ['--variant=minbase', '--include=dovecot-imapd,dovecot-pop3d,nodejs', 'trixie', unfinished], {
      maxBuffer: Number.POSITIVE_INFINITY,
    });
    await rename(unfinished, DEBIAN_13);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    // Another run may have been faster.
    if (!(await exists(DEBIAN_13))) throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
