import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parseOptions } from '../../../src/config/options.js';
import type { Group, LoginUser } from '../../../src/providers/provider.js';
import unix from '../../../src/providers/unix/definition.js';
import { ConfigError } from '../../../src/support/errors.js';
import { createLogger } from '../../../src/support/log.js';
import { testDirectory } from '../../support/command.js';

const { paths } = vi.hoisted(() => ({ paths: { passwd: '/etc/passwd', group: '/etc/group', nsswitch: '/etc/nsswitch.conf', root: '/' } }));

// The provider as it is, on account files of the test's own where it has some.
vi.mock(import('../../../src/providers/unix/source.js'), async (original) => {
  const actual = await original();
  return { ...actual, openSource: (source, context, includePrimary) => actual.openSource(source, context, includePrimary, { ...paths }) };
});

const root: LoginUser = { name: 'root@example.com', account: 'root', fields: new Map() };

async function groups(options: Readonly<Record<string, unknown>>, user = root): Promise<readonly Group[] | undefined> {
  const provider = unix.create(parseOptions(unix.options, options, 'test'), { log: createLogger(() => {}), directory: '/' });
  return await provider.groups(user, new AbortController().signal);
}

describe('unix', () => {
  it("looks the account up, not Dovecot's user", async () => {
    // Group 0 of the machine's own files: root on Linux, wheel on BSD.
    const [name] = /^[^:\n]+(?=:[^:\n]*:0:)/m.exec(readFileSync('/etc/group', 'utf8')) ?? [];
    expect((await groups({ source: 'files' }))?.[0]).toEqual({ gid: 0, name });
    expect(await groups({ source: 'files' }, { ...root, account: 'no-such-account' })).toBeUndefined();
  });

  describe('on files of its own', () => {
    const directory = testDirectory();
    beforeAll(() => {
      Object.assign(paths, {
        passwd: directory.write('passwd', 'alice:x:1000:1000::/:/bin/sh\nbob:x:1001:4000::/:/bin/sh\ncarol:x:1002:100:::\n'),
        group: directory.write(
          'group',
          'alice:x:1000:\nadm:x:4:alice\nb\u00fcro:x:2000:alice,bob\nbig:x:99999999999:alice\nusers:x:100:carol\n',
        ),
      });
    });
    afterAll(() => Object.assign(paths, { passwd: '/etc/passwd', group: '/etc/group' }));

    it.each([
      [{}, ['alice', 'adm', 'b\u00fcro']],
      [{ include_primary: false }, ['adm', 'b\u00fcro']],
      [{ min_gid: 1000 }, ['alice', 'b\u00fcro']],
      [{ include_primary: false, min_gid: 2001 }, []],
    ])('by %j it gives %j', async (options, names) => {
      const found = await groups({ source: 'files', ...options }, { ...root, account: 'alice' });
      expect(found?.flatMap(({ name, skip }) => (skip === undefined ? [name] : []))).toEqual(names);
    });

    it('keeps the primary group of an account that it lists as a member, without primary groups too', async () => {
      const found = await groups({ source: 'files', include_primary: false }, { ...root, account: 'carol' });
      expect(found).toEqual([{ name: 'users', gid: 100 }]);
    });

    it('says which groups it skips and why, and which of them the configuration asks for', async () => {
      expect(await groups({ source: 'files', min_gid: 2000 }, { ...root, account: 'alice' })).toEqual([
        { name: 'alice', gid: 1000, skip: 'its id is below min_gid = 2000', wanted: true },
        { name: 'adm', gid: 4, skip: 'its id is below min_gid = 2000', wanted: true },
        { name: 'b\u00fcro', gid: 2000 },
        { name: 'big', gid: 4_294_967_295, skip: 'its id stands for "no group", or is too great for one' },
      ]);
    });

    it('skips a group id that no group has', async () => {
      expect(await groups({ source: 'files' }, { ...root, account: 'bob' })).toEqual([
        { name: '4000', gid: 4000, skip: 'no group has this id' },
        { name: 'b\u00fcro', gid: 2000 },
      ]);
    });
  });

  it('refuses options that contradict each other', async () => {
    await expect(groups({ source: 'userid', include_primary: false })).rejects.toThrow(
      new ConfigError(
        '[provider.unix]: include_primary = false needs to know whether an account is listed as a member of its primary group, which source = "userid" can\'t tell; set source = "auto"',
      ),
    );
  });

  it.each([
    [{ source: 'ldap' }, 'source: expected one of "auto", "files", "userid", "getent", found "ldap"'],
    [{ min_gid: -1 }, 'min_gid: expected a whole number from 0 to 4294967294, found -1'],
    [{ include_primary: 'yes' }, 'include_primary: expected true or false, found "yes"'],
  ])('refuses %j', (options, message) => {
    expect(() => parseOptions(unix.options, options, 'test')).toThrow(message);
  });
});
