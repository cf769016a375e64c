import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { storeEntry } from '../../src/exec/cache.js';
import { clearExpired } from '../../src/exec/cache-clearing.js';
import { type CacheEntry, formatEntry, isExpired } from '../../src/exec/cache-entry.js';

const moment = { identity: 'b0075-1d 24 700 5000', uptime: 360_000 };
const alice: CacheEntry = {
  user: 'alice@example.com',
  systemUser: 'alice',
  moment,
  until: 363_000,
  optionWords: ['-p', 'unix'],
  unset: ['PWD', 'SHLVL'],
  value: 'acct,"Domain Users"',
};
const TEXT = 'acl-groups 2\nb0075-1d 24 700 5000\n360000 363000\nalice@example.com alice\n-p unix\nPWD SHLVL\nacct,"Domain Users"\n.\n';

describe('formatEntry', () => {
  it('has a line each for what it is bound to, its time, the user, the options, what to unset, and the value', () => {
    expect(formatEntry(alice)).toBe(TEXT);
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

  it('always has eight lines', () => {
    const entries = fc.record({
      user: fc.string({ unit: 'binary' }),
      systemUser: fc.string({ unit: 'binary' }),
      optionWords: fc.array(fc.string({ unit: 'binary' })),
      value: fc.string({ unit: 'binary' }),
    });
    fc.assert(
      fc.property(entries, (entry) => {
        const text = formatEntry({ ...alice, ...entry, user: `u${entry.user.replace(/\W/g, '')}` });
        expect(text === undefined || text.split('\n').length === 9).toBe(true);
      }),
    );
  });
});

describe('isExpired', () => {
  it.each([
    ['at its beginning', TEXT, 360_000, false],
    ['just before its end', TEXT, 362_999, false],
    ['at its end', TEXT, 363_000, true],
    ['before its beginning', TEXT, 359_999, true],
    ['of the format of before', TEXT.replace('acl-groups 2', 'acl-groups 1'), 360_000, true],
    ['that is cut off', TEXT.slice(0, 35), 360_000, true],
  ])('judges an entry %s', (_what, text, uptime, expected) => {
    expect(isExpired(text, { ...moment, uptime })).toBe(expected);
  });

  it('takes an entry of another boot, container or Dovecot for expired', () => {
    expect(isExpired(TEXT, { ...moment, identity: 'b0075-1d 24 700 5001' })).toBe(true);
  });
});

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'acl-groups-cache-'));
});
afterEach(() => rm(directory, { recursive: true }));

describe('storeEntry', () => {
  const before = new Date('2026-11-24T12:00:00.900Z').getTime();

  it('writes one private file, from before the configuration was read', async () => {
    await storeEntry(directory, alice, before);
    expect(await readdir(directory)).toEqual(['alice@example.com']);
    const file = join(directory, 'alice@example.com');
    expect(await readFile(file, 'utf8')).toBe(TEXT);
    const { mode, mtimeMs } = await stat(file);
    expect(mode & 0o777).toBe(0o600);
    expect(new Date(mtimeMs).toISOString()).toBe('2026-11-24T11:59:59.000Z');
  });

  it('tells an unknown user from one without groups', async () => {
    await storeEntry(directory, { ...alice, value: undefined }, before);
    const file = join(directory, alice.user);
    expect(await readFile(file, 'utf8')).toBe(TEXT.replace('acct,"Domain Users"\n.', '\nunknown.'));
    await storeEntry(directory, { ...alice, value: '' }, before);
    expect(await readFile(file, 'utf8')).toBe(TEXT.replace('acct,"Domain Users"', ''));
  });

  it('writes nothing for a ttl of 0, and nothing that the launcher could not read', async () => {
    await storeEntry(directory, { ...alice, until: moment.uptime }, before);
    await storeEntry(directory, { ...alice, user: 'not plain' }, before);
    expect(await readdir(directory)).toEqual([]);
  });

  it('clears away entries that are over, and what ended processes left', async () => {
    const store = (user: string, uptime: number): Promise<void> =>
      storeEntry(directory, { ...alice, user, moment: { ...moment, uptime }, until: uptime + 1000 }, before);
    await store('old', moment.uptime - 1000);
    await store('young', moment.uptime - 999);
    for (const name of [`.${2 ** 22 + 1}.draft`, `.${process.ppid}.draft`]) await writeFile(join(directory, name), '');
    await storeEntry(directory, alice, before);
    expect((await readdir(directory)).sort()).toEqual([`.${process.ppid}.draft`, 'alice@example.com', 'young']);
  });

  it('refuses a directory that others may enter, a link to one, and one that is not there', async () => {
    const link = `${directory}-link`;
    await symlink(directory, link);
    try {
      await expect(storeEntry(link, alice, before)).rejects.toThrow(
        `--cache-dir ${link}: not used: it is no directory; fix it with: install -d -m 700 -o ${process.geteuid?.()} ${link}`,
      );
    } finally {
      await rm(link);
    }
    await chmod(directory, 0o750);
    await expect(storeEntry(directory, alice, before)).rejects.toThrow('its mode is 750, and must be 700');
    await expect(storeEntry(join(directory, 'none'), alice, before)).rejects.toThrow('ENOENT');
    expect(await readdir(directory)).toEqual([]);
  });
});

it('looks at 100 entries at most each time, from anywhere', async () => {
  for (let index = 0; index < 250; index++) await writeFile(join(directory, `user${index}`), 'acl-groups 1\n');
  for (const [random, left] of [
    [0.9, 150],
    [0, 50],
    [0.5, 0],
  ] as const) {
    await clearExpired(directory, moment, () => random);
    expect(await readdir(directory)).toHaveLength(left);
  }
});
