import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ExecCacheEntry, formatEntry, storeEntry } from '../../src/exec/cache.js';

const alice: ExecCacheEntry = {
  user: 'alice@example.com',
  systemUser: 'alice',
  optionWords: ['-p', 'unix'],
  unset: ['PWD', 'SHLVL'],
  value: 'acct,"Domain Users"',
};

describe('formatEntry', () => {
  it('has a line each for the user, the options, what to unset, and the value', () => {
    expect(formatEntry(alice)).toBe('acl-groups 1\nalice@example.com alice\n-p unix\nPWD SHLVL\nacct,"Domain Users"\n.\n');
  });

  it.each(['', '.', '..', '../etc', 'a/b', '-p', 'a b', "a'b", 'a*', '.alice.77', 'ä', 'x'.repeat(201)])(
    'has no file for the user %j',
    (user) => {
      expect(formatEntry({ ...alice, user })).toBeUndefined();
    },
  );

  it('has no file for what would be read back as something else', () => {
    expect(formatEntry({ ...alice, value: 'a\nb' })).toBeUndefined();
    expect(formatEntry({ ...alice, systemUser: 'a\nb' })).toBeUndefined();
    expect(formatEntry({ ...alice, optionWords: ['-c', '/etc/a\nb'] })).toBeUndefined();
    expect(formatEntry({ ...alice, value: 'x'.repeat(17_000) })).toBeUndefined();
  });

  it('always has six lines', () => {
    const entries = fc.record({
      user: fc.string({ unit: 'binary' }),
      systemUser: fc.string({ unit: 'binary' }),
      optionWords: fc.array(fc.string({ unit: 'binary' })),
      unset: fc.constant(['PWD']),
      value: fc.string({ unit: 'binary' }),
    });
    fc.assert(
      fc.property(entries, (entry) => {
        const text = formatEntry({ ...entry, user: `u${entry.user.replace(/\W/g, '')}` });
        expect(text === undefined || text.split('\n').length === 7).toBe(true);
      }),
    );
  });
});

describe('storeEntry', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'acl-groups-cache-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('writes one private file that ends in the future', async () => {
    const before = Date.now();
    await storeEntry(directory, alice, 30_000);
    expect(await readdir(directory)).toEqual(['alice@example.com']);
    const file = join(directory, 'alice@example.com');
    expect(await readFile(file, 'utf8')).toBe(formatEntry(alice));
    const { mode, mtimeMs } = await stat(file);
    expect(mode & 0o777).toBe(0o600);
    expect(mtimeMs).toBeGreaterThanOrEqual(before + 29_999);
    expect(mtimeMs).toBeLessThanOrEqual(Date.now() + 30_000);
  });

  it('writes nothing for a ttl of 0, and nothing that the launcher could not read', async () => {
    await storeEntry(directory, alice, 0);
    await storeEntry(directory, { ...alice, user: 'not plain' }, 30_000);
    expect(await readdir(directory)).toEqual([]);
  });

  it('refuses a directory that others may enter, a link to one, and one that is not there', async () => {
    const link = `${directory}-link`;
    await symlink(directory, link);
    try {
      await expect(storeEntry(link, alice, 1000)).rejects.toThrow(
        `--cache-dir ${link}: not used: it is no directory; mend it with: install -d -m 700 -o ${process.geteuid?.()} ${link}`,
      );
    } finally {
      await rm(link);
    }
    await chmod(directory, 0o750);
    await expect(storeEntry(directory, alice, 1000)).rejects.toThrow('its mode is 750, and must be 700');
    await expect(storeEntry(join(directory, 'none'), alice, 1000)).rejects.toThrow('ENOENT');
    expect(await readdir(directory)).toEqual([]);
  });
});
