import { describe, expect, it } from 'vitest';
import type { GroupsConfig } from '../../src/config/load.js';
import { selectGroups } from '../../src/login/select.js';

const KEEP_ALL: GroupsConfig = { include: [], exclude: [], rename: new Map(), add: [], case: 'keep' };

function select(names: readonly string[], config: Partial<GroupsConfig>) {
  const found = names.map((name) => ({ name, provider: 'unix' }));
  const { groups, skipped } = selectGroups(found, { ...KEEP_ALL, ...config }, true);
  return { groups: groups.map(({ name }) => name), skipped: skipped.map(({ name, reason, wanted }) => ({ name, reason, wanted })) };
}

describe('selectGroups', () => {
  it('keeps everything and its order by default', () => {
    expect(select(['b', 'a', 'Domain Users'], {})).toEqual({ groups: ['b', 'a', 'Domain Users'], skipped: [] });
  });

  it('drops duplicates: the first one stays, with what is known of it', () => {
    const selection = selectGroups(
      [
        { name: 'staff', provider: 'unix', gid: 50 },
        { name: 'staff', provider: 'ldap', dn: 'cn=staff' },
      ],
      KEEP_ALL,
      true,
    );
    expect(selection).toEqual({ groups: [{ name: 'staff', provider: 'unix', gid: 50 }], skipped: [] });
  });

  it('passes on only what include matches, and says of the others that it was wanted', () => {
    expect(select(['mail-a', 'staff', 'mail-b'], { include: ['mail-*'] })).toEqual({
      groups: ['mail-a', 'mail-b'],
      skipped: [{ name: 'staff', reason: 'no glob of [groups] include matches it', wanted: true }],
    });
  });

  it('says of what the provider skips whether its configuration asked for that', () => {
    const found = [
      { name: 'adm', provider: 'unix', gid: 4, skip: 'its id is below min_gid = 1000', wanted: true },
      { name: '1234', provider: 'unix', gid: 1234, skip: 'no group has this id' },
    ];
    expect(selectGroups(found, KEEP_ALL, true).skipped).toEqual([
      { name: 'adm', provider: 'unix', reason: 'its id is below min_gid = 1000', wanted: true },
      { name: '1234', provider: 'unix', reason: 'no group has this id', wanted: false },
    ]);
  });

  it('leaves out what exclude matches, included or not', () => {
    expect(select(['mail-a', 'mail-b'], { include: ['mail-*'], exclude: ['x', '*-b'] })).toEqual({
      groups: ['mail-a'],
      skipped: [{ name: 'mail-b', reason: '[groups] exclude has "*-b"', wanted: true }],
    });
  });

  it.each([
    ['*', 'a/b'],
    ['*', '.hidden'],
    ['*', '..'],
    ['*', 'CORP\\sales'],
    ['a?b', 'a/b'],
    ['CORP\\\\*', 'CORP\\sales'],
    ['\\*', '*'],
    ['!a', '!a'],
    ['[ab]', '[ab]'],
    ['{a,b}', '{a,b}'],
    ['a.b+(c)', 'a.b+(c)'],
    ['*\u2028*', 'a\u2028b'],
  ])('the glob %j matches %j', (glob, name) => {
    expect(select([name], { exclude: [glob] }).groups).toEqual([]);
  });

  it.each([
    ['a', 'A'],
    ['a', 'ab'],
    ['?', ''],
    ['CORP\\s*', 'CORP\\sales'],
    ['a.b', 'axb'],
    ['[ab]', 'a'],
  ])('the glob %j does not match %j', (glob, name) => {
    expect(select([name], { exclude: [glob] }).groups).toEqual([name]);
  });

  it('renames by the name of the source; globs see that name too', () => {
    const rename = new Map(Object.entries({ 'Domain Users': 'everyone', a: 'b', b: 'c', constructor: 'd' }));
    expect(select(['Domain Users', 'a', 'constructor', 'toString'], { rename, exclude: ['everyone'] })).toEqual({
      groups: ['everyone', 'b', 'd', 'toString'],
      skipped: [],
    });
    expect(select(['Domain Users'], { rename, exclude: ['Domain*'] }).groups).toEqual([]);
  });

  it('lowers the case last, and what falls together by it is one group', () => {
    expect(select(['Staff', 'STAFF', 'ÉTÉ', 'x'], { case: 'lower', rename: new Map([['x', 'X-Ray']]) })).toEqual({
      groups: ['staff', 'été', 'x-ray'],
      skipped: [],
    });
  });

  it('adds groups behind all others, untouched by the other rules, each once, and only for a user whom a provider knows', () => {
    const config = { ...KEEP_ALL, include: ['s*'], exclude: ['sales'], rename: new Map([['Everyone', 'x']]), case: 'lower' } as const;
    const found = ['Staff', 'sales', 'staff2'].map((name) => ({ name, provider: 'unix' }));
    const add = ['sales', 'Everyone', 'staff2', 'Everyone'];
    expect(selectGroups(found, { ...config, include: ['*'], add }, true).groups).toEqual([
      { name: 'staff', provider: 'unix' },
      { name: 'staff2', provider: 'unix' },
      { name: 'sales', provider: 'config' },
      { name: 'Everyone', provider: 'config' },
    ]);
    expect(selectGroups([], { ...config, add }, false).groups).toEqual([]);
  });

  it("keeps a provider's own reason, which is no wish of the configuration", () => {
    expect(selectGroups([{ name: '1234', gid: 1234, provider: 'unix', skip: 'gid 1234 has no name' }], KEEP_ALL, true)).toEqual({
      groups: [],
      skipped: [{ name: '1234', provider: 'unix', reason: 'gid 1234 has no name', wanted: false }],
    });
  });
});
