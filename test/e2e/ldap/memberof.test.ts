import { join } from 'node:path';
import { Client } from 'ldapts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ldapProvider, type TestProvider } from '../../support/ldap.js';
import { AWKWARD, GROUPS, PEOPLE, rdn } from '../../support/ldap-content.js';
import { BASE_LDIF, ldifLine, PASSWORD, READER_DN, ROOT_DN, type Slapd, startSlapd } from '../../support/slapd.js';

const userDn = (uid: string): string => `${rdn('uid', uid)},${PEOPLE}`;
const groupDn = (name: string): string => `${rdn('cn', name)},${GROUPS}`;
const USERS = `${BASE_LDIF}${['alice', 'lonely'].map((uid) => `dn: ${userDn(uid)}\nobjectClass: inetOrgPerson\nuid: ${uid}\ncn: x\nsn: x\n`).join('\n')}\n`;
const NESTED = ['nest0', 'nest1', 'nest2'];

async function using(
  slapd: Slapd,
  table: Readonly<Record<string, unknown>>,
  test: (provider: TestProvider) => Promise<void>,
): Promise<void> {
  const provider = ldapProvider({
    uris: [slapd.ldapi],
    bind_dn: READER_DN,
    bind_password_file: join(slapd.directory, 'password'),
    group_strategy: 'memberof',
    user_base: PEOPLE,
    group_base: 'dc=example,dc=test',
    primary_group: false,
    ...table,
  });
  try {
    await test(provider);
  } finally {
    await provider.close?.();
  }
}

describe('memberOf that slapd keeps', () => {
  let slapd: Slapd;
  beforeAll(async () => {
    slapd = await startSlapd({ ldif: USERS, overlays: [{ module: 'memberof', config: ['overlay memberof', 'memberof-refint true'] }] });
    // Added to the running server, for that is when the overlay notes who is a member.
    const client = new Client({ url: `ldap://127.0.0.1:${slapd.port}` });
    await client.bind(ROOT_DN, PASSWORD);
    const add = (dn: string, cn: string | string[], member: readonly string[], objectClass = ['groupOfNames']): Promise<void> =>
      client.add(dn, { objectClass, cn, member: [...member], ...(objectClass.length > 1 && { ref: ['x'] }) });
    for (const name of AWKWARD) await add(groupDn(name), name, [userDn('alice')]);
    await add(groupDn('nest0'), 'nest0', [userDn('alice')]);
    await add(groupDn('nest1'), 'nest1', [groupDn('nest0')]);
    await add(groupDn('nest2'), 'nest2', [groupDn('nest1')]);
    await add(groupDn('several names'), ['first', 'several names'], [userDn('alice')]);
    await client.add(`ou=roles,dc=example,dc=test`, { objectClass: 'organizationalUnit', ou: 'roles' });
    await add('cn=role,ou=roles,dc=example,dc=test', 'role', [userDn('alice')]);
    await client.unbind();
  });
  afterAll(() => slapd.remove());

  it('leads to the names of all groups, nested ones too', async () => {
    await using(slapd, {}, async (provider) => {
      expect(new Set(await provider.names('alice'))).toEqual(new Set([...AWKWARD, ...NESTED, 'several names', 'role']));
      expect(await provider.of('lonely')).toEqual([]);
      expect(await provider.of('stranger')).toBeUndefined();
    });
  });

  it('is followed as far as nesting_level says, within group_base, and to what group_filter calls a group', async () => {
    const nested = (names: readonly string[] | undefined): unknown => names?.filter((name) => name.startsWith('nest')).sort();
    await using(slapd, { nesting_level: 0 }, async (provider) => expect(nested(await provider.names('alice'))).toEqual(['nest0']));
    await using(slapd, { nesting_level: 1 }, async (provider) => expect(nested(await provider.names('alice'))).toEqual(['nest0', 'nest1']));
    await using(slapd, { group_base: GROUPS }, async (provider) => expect(await provider.names('alice')).not.toContain('role'));
    await using(slapd, { group_filter: '(cn=role)' }, async (provider) => expect(await provider.names('alice')).toEqual(['role']));
  });

  it('may be too long', async () => {
    await using(slapd, { max_groups: AWKWARD.length }, async (provider) => {
      await expect(provider.of('alice')).rejects.toThrow(`is in more than ${AWKWARD.length} groups`);
    });
  });
});

describe('memberOf that dynlist makes up', () => {
  let slapd: Slapd;
  beforeAll(async () => {
    const group = (name: string, members: readonly string[]): string =>
      `${ldifLine('dn', groupDn(name))}objectClass: groupOfNames\n${ldifLine('cn', name)}${members.map((dn) => ldifLine('member', dn)).join('')}`;
    slapd = await startSlapd({
      ldif: `${USERS}${[
        ...AWKWARD.map((name) => group(name, [userDn('alice')])),
        group('Staff, West', [userDn('alice')]),
        `dn: ${groupDn('dynamic')}\nobjectClass: groupOfURLs\ncn: dynamic\nmemberURL: ldap:///${PEOPLE}??sub?(uid=alice)\n`,
      ].join('\n')}\n`,
      overlays: [{ module: 'dynlist', config: ['overlay dynlist', 'dynlist-attrset groupOfURLs memberURL member+memberOf@groupOfNames'] }],
    });
  });
  afterAll(() => slapd.remove());

  it('leads to the names as the groups have them, not as its DNs spell them', async () => {
    await using(slapd, {}, async (provider) => {
      expect(new Set(await provider.names('alice'))).toEqual(new Set([...AWKWARD, 'Staff, West', 'dynamic']));
      expect(await provider.of('lonely')).toEqual([]);
    });
  });
});

describe('groups in groups, 103 levels deep', () => {
  const LEVELS = Array.from({ length: 104 }, (_, level) => `level${level}`);
  let slapd: Slapd;
  beforeAll(async () => {
    const group = (name: string, level: number): string => {
      const member = level === 0 ? userDn('alice') : groupDn(`level${level - 1}`);
      const above = level + 1 < LEVELS.length ? `memberOf: ${groupDn(`level${level + 1}`)}\n` : '';
      return `dn: ${groupDn(name)}\nobjectClass: groupOfNames\ncn: ${name}\nmember: ${member}\n${above}`;
    };
    const alice = `dn: ${userDn('alice')}\nobjectClass: inetOrgPerson\nuid: alice\ncn: x\nsn: x\nmemberOf: ${groupDn('level0')}\n`;
    slapd = await startSlapd({
      ldif: `${BASE_LDIF}${[alice, ...LEVELS.map(group)].join('\n')}\n`,
      overlays: [{ module: 'memberof', config: ['overlay memberof'] }],
    });
  });
  afterAll(() => slapd.remove());

  it.each(['search', 'memberof'])('are all found, until there are too many levels, which is reported (%s)', async (group_strategy) => {
    await using(slapd, { group_strategy }, async (provider) => {
      expect(await provider.names('alice')).toEqual(LEVELS.slice(0, 101));
      const dn = groupDn('level101');
      const skip = 'it is more than 100 levels of groups away from the user';
      expect((await provider.of('alice'))?.slice(101)).toEqual([{ name: dn, dn, skip, incomplete: true }]);
    });
  });

  it.each(['search', 'memberof'])('are cut off in silence where nesting_level says so (%s)', async (group_strategy) => {
    await using(slapd, { group_strategy, nesting_level: 99 }, async (provider) => {
      expect((await provider.of('alice'))?.map(({ name }) => name)).toEqual(LEVELS.slice(0, 100));
    });
  });
});

describe('memberOf that points to nothing', () => {
  let slapd: Slapd;
  beforeAll(async () => {
    slapd = await startSlapd({
      ldif: `${BASE_LDIF}dn: ${userDn('alice')}\nobjectClass: inetOrgPerson\nuid: alice\ncn: x\nsn: x\nmemberOf: ${groupDn('gone')}\n\n`,
      overlays: [{ module: 'memberof', config: ['overlay memberof'] }],
    });
  });
  afterAll(() => slapd.remove());

  it('is reported, because a group that goes missing may widen access', async () => {
    await using(slapd, {}, async (provider) => {
      const skip = 'memberOf names it, but its entry is not there, or may not be read by this bind';
      expect(await provider.of('alice')).toEqual([{ name: groupDn('gone'), dn: groupDn('gone'), skip, incomplete: true }]);
    });
  });
});
