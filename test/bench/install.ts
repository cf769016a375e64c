import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Packs this package as it was built and installs the tarball the way an administrator would, below `directory`. Returns the path of its command. */
export async function installTarball(directory: string): Promise<string> {
  const prefix = join(directory, 'prefix');
  mkdirSync(prefix, { recursive: true });
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', directory]);
  const tarball = join(directory, stdout.trim());
  await run('npm', ['install', '--silent', '--global', '--prefix', prefix, tarball]);
  return join(prefix, 'bin/acl-groups');
}
