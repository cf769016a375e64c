import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, vi } from 'vitest';
import { AWKWARD_NAMES, contractCases, loginUser } from '../../../src/providers/contract.js';
import type { GroupProvider } from '../../../src/providers/provider.js';
import unix from '../../../src/providers/unix/definition.js';
import { createLogger } from '../../../src/support/log.js';
import { testDirectory } from '../../support/command.js';

const { paths } = vi.hoisted(() => ({ paths: { passwd: '', group: '', nsswitch: '', root: '' } }));

// The provider as it is, on account files of the test's own.
vi.mock(import('../../../src/providers/unix/source.js'), async (original) => {
  const actual = await original();
  return { ...actual, openSource: (source, context, includePrimary) => actual.openSource(source, context, includePrimary, { ...paths }) };
});

const directory = testDirectory();
// What /etc/group can't hold as a name: the C library takes these for comments, entries of NIS, or blanks to pass over.
const awkward = AWKWARD_NAMES.filter((name) => !/[:,]|^[#+\- ]/.test(name));
const passwd = directory.write('passwd', 'alice:x:1000:1000::/:/bin/sh\nbob:x:1001:1001::/:/bin/sh\n');
const group = directory.write(
  'group',
  `alice:x:1000:\nbob:x:1001:\n${awkward.map((name, index) => `${name}:x:${2000 + index}:carol,alice\n`).join('')}`,
);
const nsswitch = directory.write('nsswitch.conf', 'passwd: files\ngroup: files\n');
mkdirSync(join(directory.path, 'root'));

function open(files: { readonly passwd: string; readonly group: string }): GroupProvider {
  Object.assign(paths, files, { nsswitch, root: join(directory.path, 'root') });
  return unix.create({ source: 'files', include_primary: true, min_gid: 0 }, { log: createLogger(() => {}), directory: '/' });
}

describe('the contract, kept by the unix provider', () => {
  const cases = contractCases({
    open: () => open({ passwd, group }),
    openBroken: () => open({ passwd: join(directory.path, 'missing'), group }),
    users: [
      { user: loginUser('alice@example.com', { account: 'alice' }), groups: ['alice', ...awkward] },
      { user: loginUser('bob'), groups: ['bob'] },
    ],
    stranger: loginUser('mallory'),
  });
  for (const { name, run } of cases) it(name, run);
});
