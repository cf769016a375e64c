import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, inject, it } from 'vitest';
import { formatHelp } from '../../src/commands/usage.js';
import { PROJECT } from '../support/project.js';

const run = promisify(execFile);

describe('the package', () => {
  const { command, directory } = inject('installed')['2.3'];

  it('has what was built, the launcher, the units and the documentation, and neither sources nor tests', async () => {
    const { stdout } = await run('npm', ['pack', '--dry-run', '--ignore-scripts', '--json'], { cwd: PROJECT });
    const [{ files = [] } = {}]: readonly { readonly files?: readonly { readonly path: string }[] }[] = JSON.parse(stdout);
    const paths = files.map(({ path }) => path);
    expect(paths).toEqual(
      expect.arrayContaining([
        ...['LICENSE', 'README.md', 'native-free/acl-groups', 'package.json', 'dist/LICENSES.txt'],
        ...['dist/acl-groups.cjs', 'dist/types/index.d.ts', 'dist/systemd/acl-groups.service', 'dist/systemd/acl-groups.socket'],
        ...[
          'CHANGELOG.md',
          'dist/acl-groups.schema.json',
          'dist/man/acl-groups.1',
          'dist/completions/_acl-groups',
          'dist/dovecot/userdb-2.4.conf',
        ],
      ]),
    );
    const allowed =
      /^(LICENSE|(README|CHANGELOG)\.md|package\.json|native-free\/acl-groups|dist\/([^/]*|(man|doc|completions|dovecot|examples|systemd)\/[^/]*|(parts|types)\/.*(\.c?js|\.d\.ts)))$/;
    expect(paths.filter((path) => !allowed.test(path))).toEqual([]);
    const installed = await readdir(directory, { recursive: true, withFileTypes: true });
    const there = installed
      .filter((entry) => entry.isFile() && !entry.parentPath.includes('/node_modules/acl-groups/node_modules'))
      .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1));
    expect(there.sort()).toEqual([...paths].sort());
  });

  it('says its version, and how it is used', async () => {
    const { version } = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8'));
    for (const option of ['-V', '--version'])
      expect(await run(command, [option])).toEqual({ stdout: `acl-groups ${version}\n`, stderr: '' });
    const { stdout, stderr } = await run(command, ['-h']);
    expect(stdout).toMatch(/^Usage:\n/);
    expect(stderr).toBe('');
    expect(await run(command, ['--help'])).toEqual({ stdout, stderr });
    expect(stdout).toBe(formatHelp());
  });
});
