import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ldapProvider, type TestProvider } from '../../support/ldap.js';
import { GROUPS, PEOPLE } from '../../support/ldap-content.js';
import { BASE_LDIF, READER_DN, startSlapd } from '../../support/slapd.js';

const userDn = (uid: string): string => `uid=${uid},${PEOPLE}`;
const groupDn = (cn: string): string => `cn=${cn},${GROUPS}`;
const group = (cn: string, gid: number, lines: readonly string[]): string =>
  `dn: ${groupDn(cn)}\nobjectClass: groupOfNames\nobjectClass: posixGroup\ncn: ${cn}\ngidNumber: ${gid}\n${lines.join('\n')}\n`;
const person = (uid: string, gid: number, memberOf: readonly string[]): string =>
  `dn: ${userDn(uid)}\nobjectClass: inetOrgPerson\nobjectClass: posixAccount\nuid: ${uid}\ncn: x\nsn: x\nuidNumber: 1\ngidNumber: ${gid}\nhomeDirectory: /\n${memberOf.map((cn) => `memberOf: ${groupDn(cn)}\n`).join('')}`;

/** alice's primary group is "primary"; she is in "open" and "secret", and by "open" in "outer"; her name is in "named". */
const LDIF = `${BASE_LDIF}${[
  person('alice', 100, ['open', 'secret']),
  person('bob', 101, []),
  `dn: ${userDn('carol')}\nobjectClass: inetOrgPerson\nuid: carol\ncn: x\nsn: x\n`,
  group('primary', 100, [`member: ${userDn('bob')}`]),
  group('open', 201, [`member: ${userDn('alice')}`, `memberOf: ${groupDn('outer')}`]),
  group('secret', 202, [`member: ${userDn('alice')}`]),
  group('outer', 203, [`member: ${groupDn('open')}`]),
  group('named', 204, [`member: ${userDn('bob')}`, 'memberUid: alice']),
].join('\n')}\n`;

/** Who is everybody but the reader has what is usual. */
const hidden = (what: string, right = 'none'): string => `${what} by dn.base="${READER_DN}" ${right} by * none`;
const lost = (name: string, reason: string, known: object = { dn: name }): object => ({ name, ...known, skip: reason, incomplete: true });
const UNREADABLE = 'memberOf names it, but its entry is not there, or may not be read by this bind';
const NO_MEMBEROF = 'it has the user as a member, but the memberOf of the user has no values, or may not be read by this bind';
const unseen = (option: string, base: string, attribute: string, hint = ''): string =>
  `warning: ldap: no entry below ${option} "${base}" shows this bind the attribute ${attribute}: if this bind may not read it, groups are missing${hint}`;

/** The same for one user: counted where on_incomplete = "deny", and warned of once for all. */
const unseenLost = (attribute: string, warning: string): object => ({
  ...lost(`groups by ${attribute}`, warning.replace('warning: ldap: ', ''), {}),
  wanted: true,
});

/** A provider that asks a slapd whose rules hide something from it. */
async function provide(
  access: readonly string[],
  table: Readonly<Record<string, unknown>>,
): Promise<TestProvider & { warnings(): readonly string[] }> {
  const overlays = [{ module: 'memberof', config: ['overlay memberof'] }];
  const slapd = await startSlapd({ ldif: LDIF, rfc2307bis: true, overlays, access });
  const reader = { bind_dn: READER_DN, bind_password_file: join(slapd.directory, 'password') };
  const provider = ldapProvider({ uris: [slapd.ldapi], ...reader, user_base: PEOPLE, group_base: GROUPS, ...table });
  onTestFinished(async () => {
    await provider.close?.();
    await slapd.remove();
  });
  return { ...provider, warnings: () => provider.lines.filter((line) => line.startsWith('warning')) };
}

const memberof = { group_strategy: 'memberof' };

describe("slapd's rules of access that hide from this bind", () => {
  it('nothing', async () => {
    for (const table of [{}, memberof]) {
      const provider = await provide([], table);
      expect(await provider.names('alice')).toEqual(['primary', 'open', 'secret', 'outer']);
      expect(await provider.names('alice')).toEqual(['primary', 'open', 'secret', 'outer']);
      expect(provider.warnings()).toEqual([]);
    }
  });

  it('the entry of a group that memberOf names', async () => {
    const provider = await provide([hidden(`dn.base="${groupDn('secret')}"`)], memberof);
    expect((await provider.of('alice'))?.filter(({ skip }) => skip !== undefined)).toEqual([lost(groupDn('secret'), UNREADABLE)]);
  });

  it('the name of a group', async () => {
    for (const table of [{}, memberof]) {
      const provider = await provide([hidden(`dn.base="${groupDn('secret')}" attrs=cn`)], table);
      expect((await provider.of('alice'))?.filter(({ skip }) => skip !== undefined)).toEqual([
        lost(groupDn('secret'), 'it has no cn, or this bind may not read it', { dn: groupDn('secret'), gid: 202 }),
      ]);
    }
  });

  it('the primary group', async () => {
    for (const table of [{}, memberof]) {
      const provider = await provide([hidden(`dn.base="${groupDn('primary')}"`)], table);
      const reason = `no group in "${GROUPS}" has this gidNumber, or this bind may not read it; to ignore primary groups, set primary_group = false`;
      expect((await provider.of('alice'))?.filter(({ skip }) => skip !== undefined)).toEqual([lost('100', reason, { gid: 100 })]);
    }
  });

  it.each(['none', 'search'])('the gidNumber of users, who have the right to %s', async (right) => {
    const provider = await provide([hidden(`dn.subtree="${PEOPLE}" attrs=gidNumber`, right)], {});
    expect((await provider.of('alice'))?.slice(-1)).toEqual([
      lost('primary group', 'gidNumber of the user may not be read by this bind; to ignore primary groups, set primary_group = false', {}),
    ]);
    expect(await provider.names('alice')).toEqual(['open', 'secret', 'outer']);
    expect(provider.warnings()).toEqual([]);
  });

  it('the gidNumber and the class of one user', async () => {
    const rule = hidden(`dn.base="${userDn('alice')}" attrs=gidNumber,objectClass`, 'search');
    const reason = 'gidNumber of the user may not be read by this bind; to ignore primary groups, set primary_group = false';
    expect((await (await provide([rule], {})).of('alice'))?.slice(-1)).toEqual([lost('primary group', reason, {})]);
  });

  it('nothing of a user who has no gidNumber', async () => {
    const provider = await provide([], {});
    expect(await provider.of('carol')).toEqual([]);
    expect(provider.warnings()).toEqual([]);
  });

  it.each(['none', 'search'])('memberOf of users, with the right to %s', async (right) => {
    const provider = await provide([hidden(`dn.subtree="${PEOPLE}" attrs=memberOf`, right)], memberof);
    const lostTo = (cn: string): object => lost(groupDn(cn), NO_MEMBEROF, { dn: groupDn(cn) });
    expect((await provider.of('alice'))?.slice(1)).toEqual([lostTo('open'), lostTo('secret')]);
    expect(await provider.names('alice')).toEqual(['primary']);
  });

  it('memberOf of users, and the members of groups', async () => {
    const rules = [hidden(`dn.subtree="${PEOPLE}" attrs=memberOf`), hidden('attrs=member')];
    const provider = await provide(rules, memberof);
    const warning = unseen('user_base', PEOPLE, 'memberOf');
    for (let i = 0; i < 2; i++) expect((await provider.of('alice'))?.slice(1)).toContainEqual(unseenLost('memberOf', warning));
    expect(provider.warnings().filter((each) => each === warning)).toHaveLength(1);
  });

  it.each(['none', 'search'])('memberOf of groups, with the right to %s', async (right) => {
    const provider = await provide([hidden(`dn.subtree="${GROUPS}" attrs=memberOf`, right)], memberof);
    const warning = unseen('group_base', GROUPS, 'memberOf', '; if no group is in another, set nesting_level = 0');
    for (let i = 0; i < 2; i++) {
      expect(await provider.names('alice')).toEqual(['primary', 'open', 'secret']);
      expect((await provider.of('alice'))?.slice(3)).toEqual([unseenLost('memberOf', warning)]);
    }
    expect(provider.warnings()).toEqual([warning]);
  });

  it('one of the attributes that group_filter compares', async () => {
    const table = { group_filter: '(|(member={dn})(memberUid={uid}))' };
    expect(await (await provide([], table)).names('alice')).toEqual(['primary', 'open', 'secret', 'named', 'outer']);
    const provider = await provide([hidden('attrs=memberUid')], table);
    expect(await provider.names('alice')).toEqual(['primary', 'open', 'secret', 'outer']);
    expect(provider.warnings()).toEqual([unseen('group_base', GROUPS, 'memberUid', '; if no group has it, take it out of group_filter')]);
  });

  it("the user's name that memberUid has", async () => {
    const table = { group_filter: '(|(member={dn})(memberUid={uid}))' };
    const provider = await provide([hidden(`dn.subtree="${PEOPLE}" attrs=uid`, 'search')], table);
    const reason = `the user has no uid, or this bind may not read it, and group_filter needs it for {uid}`;
    expect((await provider.of('alice'))?.slice(-1)).toEqual([lost('groups by uid', reason, {})]);
  });

  it('a group, with an error in the place of nothing', async () => {
    const provider = await provide([hidden(`dn.base="${groupDn('secret')}"`, 'disclose')], memberof);
    expect((await provider.of('alice'))?.filter(({ skip }) => skip !== undefined)).toEqual([lost(groupDn('secret'), UNREADABLE)]);
  });

  it('memberOf of one user', async () => {
    const provider = await provide([hidden(`dn.base="${userDn('alice')}" attrs=memberOf`)], memberof);
    expect(await provider.names('alice')).toEqual(['primary']);
    const dns = ['open', 'secret'].map(groupDn);
    expect((await provider.of('alice'))?.slice(1)).toEqual(dns.map((dn) => lost(dn, NO_MEMBEROF, { dn })));
  });

  it('the class of a group', async () => {
    const table = { ...memberof, group_filter: '(objectClass=groupOfNames)' };
    const provider = await provide([hidden(`dn.base="${groupDn('secret')}" attrs=objectClass`)], table);
    expect((await provider.of('alice'))?.filter(({ skip }) => skip !== undefined)).toEqual([lost(groupDn('secret'), UNREADABLE)]);
  });

  it('all groups, but not their base', async () => {
    const provider = await provide([hidden(`dn.children="${GROUPS}"`)], memberof);
    expect((await provider.of('alice'))?.map(({ name }) => name)).toEqual(['100', groupDn('open'), groupDn('secret')]);
  });

  it('the base of groups', async () => {
    for (const table of [{}, memberof]) {
      const provider = await provide([hidden(`dn.subtree="${GROUPS}"`)], table);
      await expect(provider.of('alice')).rejects.toThrow(`ldap: group_base "${GROUPS}" is not there, or may not be read by this bind`);
    }
  });

  it('the user', async () => {
    const provider = await provide([hidden(`dn.base="${userDn('alice')}"`)], {});
    expect(await provider.of('alice')).toBeUndefined();
  });
});
