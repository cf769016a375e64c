import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createLogger } from '../../src/log.js';
import { parseOptions } from '../../src/options.js';
import type { Group, LoginUser } from '../../src/providers/provider.js';
import unix from '../../src/providers/unix.js';

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

  it('leaves out the primary group, and groups below min_gid', async () => {
    const all = (await groups({ source: 'files' })) ?? [];
    expect(await groups({ source: 'files', include_primary: false })).toEqual(all.slice(1));
    expect(await groups({ source: 'files', min_gid: 1 })).toEqual(all.filter(({ gid = 0 }) => gid >= 1));
  });

  it.each([
    [{ source: 'ldap' }, 'source: expected one of "auto", "files", "userid", "getent", found "ldap"'],
    [{ min_gid: -1 }, 'min_gid: expected a whole number from 0 to 4294967294, found -1'],
    [{ include_primary: 'yes' }, 'include_primary: expected true or false, found "yes"'],
  ])('refuses %j', (options, message) => {
    expect(() => parseOptions(unix.options, options, 'test')).toThrow(message);
  });
});
