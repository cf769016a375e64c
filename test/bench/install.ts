import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Packs this package and installs the tarball the way an administrator would, below `directory`. Returns the path of its command. */
export async function installTarball(directory: string): Promise<string> {
  const prefix = join(directory, 'prefix');
  mkdirSync(prefix, { recursive: true });
  const { stdout } = await run('npm', ['pack', '--silent', '--pack-destination', directory]);
  // npm prints what the build prints, too; the tarball's name comes last.
  const tarball = join(directory, stdout.trim().split('\n').at(-1) ?? '');
  await run('npm', ['install', '--silent', '--global', '--prefix', prefix, tarball]);
  return join(prefix, 'bin/acl-groups');
}
