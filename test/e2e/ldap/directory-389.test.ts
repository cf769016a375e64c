import { connect } from 'node:net';
import { Attribute, Change, type Client } from 'ldapts';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Ds389, GROUPS, READER, SUFFIX, startDs389, USERS } from '../../support/ds389.js';
import { ldapProvider, type TestProvider } from '../../support/ldap.js';
import { rdn } from '../../support/ldap-content.js';
import { listen, messages } from '../../support/relay.js';

const user = (uid: string): string => `${rdn('uid', uid)},${USERS}`;
const group = (cn: string, base = GROUPS): string => `${rdn('cn', cn)},${base}`;

/** Names that are several to this server, though they look alike or fold to one. */
const LOOKALIKES = ['zed', '\u{feff}zed', 'Caf\u00e9', 'Cafe\u0301', 'Team 2', 'Team \u00b2', 'x y', 'x\u2028y', 'groups', 'ｇｒｏｕｐｓ'];

async function addGroup(client: Client, cn: string, members: readonly string[], base = GROUPS): Promise<void> {
  const objectClass = ['top', 'groupOfNames', 'nestedGroup', 'ipaUserGroup'];
  await client.add(group(cn, base), { objectClass, cn, member: [...members] });
}

async function setAci(client: Client, dn: string, values: readonly string[]): Promise<void> {
  await client.modify(dn, new Change({ operation: 'replace', modification: new Attribute({ type: 'aci', values: [...values] }) }));
}

const ALLOW = `(targetattr="*")(version 3.0; acl "read"; allow (read,search,compare) userdn="ldap:///${READER}";)`;
const deny = (what: string): string => `${what}(version 3.0; acl "hide"; deny (all) userdn="ldap:///${READER}";)`;

/** A user in 5,000 groups, and one in 900 of them. Loaded, because the plugin takes long to keep so many values of memberOf. */
function bulk(): string {
  const numbers = Array.from({ length: 5000 }, (_, i) => i);
  const member = (count: number) => (i: number) => (i < count ? `member: ${user(`bulk${count}`)}\n` : '');
  const [many, fewer] = [member(5000), member(900)];
  const classes = ['top', 'groupOfNames', 'nestedGroup', 'ipaUserGroup'].map((name) => `objectClass: ${name}\n`).join('');
  const groups = numbers.map((i) => `dn: ${group(`bulk${i}`)}\n${classes}cn: bulk${i}\n${many(i)}${fewer(i)}`);
  const users = [5000, 900].map((count) => {
    const memberOf = numbers.slice(0, count).map((i) => `memberOf: ${group(`bulk${i}`)}\n`);
    const person = `objectClass: inetOrgPerson\nobjectClass: posixAccount\nobjectClass: inetUser\nuid: bulk${count}\ncn: x\nsn: x\n`;
    return `dn: ${user(`bulk${count}`)}\n${person}uidNumber: 1\ngidNumber: 4711\nhomeDirectory: /\n${memberOf.join('')}`;
  });
  return `${[...groups, ...users].join('\n')}\n`;
}

describe("389 Directory Server with FreeIPA's tree", () => {
  let server: Ds389;
  beforeAll(async () => {
    server = await startDs389(bulk());
    await server.manage(async (client) => {
      await setAci(client, SUFFIX, [ALLOW]);
      for (const uid of ['alice', 'looks', 'hidden', 'boxed', 'lonely', 'classed', 'rules', 'mute']) {
        const posix = { uidNumber: '1', gidNumber: '4711', homeDirectory: '/' };
        await client.add(user(uid), { objectClass: ['inetOrgPerson', 'posixAccount', 'inetUser'], uid, cn: 'x', sn: 'x', ...posix });
      }
      await client.add(`cn=roles,cn=accounts,${SUFFIX}`, { objectClass: 'nsContainer', cn: 'roles' });
      for (const ou of ['one', 'two', 'box']) await client.add(`ou=${ou},${GROUPS}`, { objectClass: 'organizationalUnit', ou });
      await addGroup(client, 'direct', [user('alice')]);
      await addGroup(client, 'level1', [group('direct')]);
      await addGroup(client, 'level2', [group('level1')]);
      await client.modify(
        group('direct'),
        new Change({ operation: 'add', modification: new Attribute({ type: 'member', values: [group('level2')] }) }),
      );
      await addGroup(client, 'twin', [user('alice')], `ou=one,${GROUPS}`);
      await addGroup(client, 'twin', [user('alice')], `ou=two,${GROUPS}`);
      await client.add(`cn=helpdesk,cn=roles,cn=accounts,${SUFFIX}`, {
        objectClass: 'groupOfNames',
        cn: 'helpdesk',
        member: user('alice'),
      });
      for (const name of LOOKALIKES) await addGroup(client, name, [user('looks')]);
      await addGroup(client, 'secret', [user('hidden')]);
      await addGroup(client, 'open', [user('hidden'), user('boxed')]);
      await addGroup(client, 'in the box', [user('boxed')], `ou=box,${GROUPS}`);
      await addGroup(client, 'classless', [user('classed')]);
      await setAci(client, group('classless'), [deny('(targetattr="objectClass")')]);
      await addGroup(client, 'unspoken', [user('mute')]);
      await setAci(client, user('mute'), [deny('(targetattr="memberOf")')]);
      // FreeIPA's memberOf also has the rules that a user is in.
      await client.add(`cn=hbac,${SUFFIX}`, { objectClass: 'nsContainer', cn: 'hbac' });
      for (let i = 0; i < 30; i++)
        await client.add(`cn=rule${i},cn=hbac,${SUFFIX}`, { objectClass: 'groupOfNames', cn: `rule${i}`, member: user('rules') });
      await setAci(client, group('secret'), [deny('(targetattr="*")')]);
      await setAci(client, `ou=box,${GROUPS}`, [deny('(targetattr="*")')]);
      await setAci(client, `cn=roles,cn=accounts,${SUFFIX}`, [deny('(targetattr="*")')]);
    });
  });
  afterAll(() => server.remove());

  async function using(options: Readonly<Record<string, unknown>>, test: (provider: TestProvider) => Promise<void>): Promise<void> {
    const provider = ldapProvider({
      preset: 'freeipa',
      uris: [server.ldap],
      starttls: false,
      bind_dn: READER,
      bind_password_file: server.passwordFile,
      user_base: USERS,
      group_base: GROUPS,
      primary_group: false,
      ...options,
    });
    try {
      await test(provider);
    } finally {
      await provider.close?.();
    }
  }

  const strategies = ['memberof', 'search'] as const;

  it.each(strategies)('follows groups in groups, and comes back from a cycle: %s', async (group_strategy) => {
    await using({ group_strategy }, async (provider) => {
      expect([...((await provider.names('alice')) ?? [])].sort()).toEqual(['direct', 'level1', 'level2', 'twin']);
      expect(await provider.of('lonely')).toEqual([]);
      expect(await provider.of('stranger')).toBeUndefined();
    });
  });

  it.each(strategies)('makes one group of two entries with one name, and names both: %s', async (group_strategy) => {
    await using({ group_strategy }, async (provider) => {
      const [twin, ...more] = ((await provider.of('alice')) ?? []).filter(({ name }) => name === 'twin');
      expect(more).toEqual([]);
      expect(twin?.warning).toMatch(
        /^2 entries have this name: "cn=twin,ou=(one|two),.*", "cn=twin,ou=(one|two),.*"; only one group is granted$/,
      );
    });
    await using({ group_strategy, prefix: 'ipa-' }, async (provider) => expect(await provider.names('alice')).toContain('ipa-twin'));
  });

  it.each(strategies)('keeps apart names that only look alike: %s', async (group_strategy) => {
    await using({ group_strategy }, async (provider) => {
      expect([...((await provider.names('looks')) ?? [])].sort()).toEqual([...LOOKALIKES].sort());
    });
  });

  it('reports a group and a container that an ACI hides, and nothing outside of group_base', async () => {
    const lost = (dn: string): object => ({
      name: dn,
      dn,
      skip: 'memberOf names it, but its entry is not there, or may not be read by this bind',
      incomplete: true,
    });
    await using({}, async (provider) => {
      expect(await provider.of('hidden')).toEqual([{ name: 'open', dn: group('open') }, lost(group('secret'))]);
      expect(await provider.of('boxed')).toEqual([{ name: 'open', dn: group('open') }, lost(group('in the box', `ou=box,${GROUPS}`))]);
      expect((await provider.of('alice'))?.filter(({ skip }) => skip !== undefined)).toEqual([]);
      expect(provider.lines.filter((line) => line.startsWith('warning'))).toEqual([]);
    });
  });

  it('reports a group whose class an ACI hides, and one whose member does not show its memberOf', async () => {
    await using({}, async (provider) => {
      const isLost = expect.objectContaining({ skip: expect.stringMatching(/may not be read|may not read/), incomplete: true });
      expect(await provider.of('classed')).toEqual([isLost]);
      const skip = 'it has the user as a member, but the memberOf of the user has no values, or may not be read by this bind';
      const dn = group('unspoken');
      expect(await provider.of('mute')).toEqual([{ name: dn, dn, skip, incomplete: true }]);
    });
  });

  it('does not take 30 rules that a user is in for groups that are lost', async () => {
    await using({}, async (provider) => expect(await provider.of('rules')).toEqual([]));
  });

  it('says once that an attribute may not be read, and fails for a base that may not', async () => {
    const aci = (attribute: string): string => deny(`(targetattr="${attribute}")`);
    const warned = async (options: object): Promise<readonly string[]> => {
      let lines: readonly string[] = [];
      await using(options as Readonly<Record<string, unknown>>, async (provider) => {
        expect(await provider.names('alice')).toEqual([]);
        expect(await provider.names('hidden')).toEqual([]);
        lines = provider.lines.filter((line) => line.startsWith('warning'));
      });
      return lines;
    };
    const missing = (option: string, base: string, attribute: string): string =>
      `warning: ldap: no entry below ${option} "${base}" shows this bind the attribute ${attribute}: if this bind may not read it, groups are missing`;
    await server.manage((client) => setAci(client, SUFFIX, [ALLOW, aci('memberOf'), aci('member')]));
    expect(await warned({})).toEqual([missing('user_base', USERS, 'memberOf')]);
    expect(await warned({ group_strategy: 'search' })).toEqual([missing('group_base', GROUPS, 'member')]);
    await server.manage((client) => setAci(client, SUFFIX, [ALLOW, deny(`(target="ldap:///${GROUPS}")(targetattr="*")`)]));
    for (const group_strategy of strategies) {
      await using({ group_strategy }, async (provider) => {
        await expect(provider.of('alice')).rejects.toThrow(`ldap: group_base "${GROUPS}" is not there, or may not be read by this bind`);
      });
    }
    await server.manage((client) => setAci(client, SUFFIX, [ALLOW, deny(`(target="ldap:///${USERS}")(targetattr="*")`)]));
    await using({}, async (provider) => {
      await expect(provider.of('alice')).rejects.toThrow(`ldap: user_base "${USERS}" is not there, or may not be read by this bind`);
    });
    await server.manage((client) => setAci(client, SUFFIX, [ALLOW]));
  });

  it('has nested groups in memberOf, whatever the preset says', async () => {
    await using({ preset: 'rfc2307bis', group_strategy: 'memberof', nesting_level: 0 }, async (provider) => {
      await expect(provider.of('alice')).rejects.toThrow(
        'ldap: nesting_level: 0 is not possible: the memberOf of this server has nested groups too; use group_strategy = "search"',
      );
    });
  });

  it('gives 900 groups in ten searches', async () => {
    await using({}, async (provider) => {
      expect(await provider.names('bulk900')).toHaveLength(900);
      const before = provider.lines.length;
      await provider.names('bulk900');
      const searches = provider.lines.slice(before).filter((line) => line.startsWith('debug: search'));
      expect(searches).toHaveLength(10);
    });
  });

  it.each(strategies)('gives 5,000 groups over a size limit of 500, also to many at once: %s', async (group_strategy) => {
    const set = (type: string, value: string): Change =>
      new Change({ operation: 'replace', modification: new Attribute({ type, values: [value] }) });
    await server.manage(async (client) => {
      await client.modify('cn=config', set('nsslapd-sizelimit', '500'));
      // It counts entries that are looked at, and is reached before.
      await client.modify('cn=config,cn=ldbm database,cn=plugins,cn=config', set('nsslapd-pagedlookthroughlimit', '-1'));
    });
    await using({ group_strategy, max_groups: 10_000, timeout: '1m' }, async (provider) => {
      const names = await Promise.all(['bulk5000', 'bulk900', 'bulk5000', 'alice'].map((uid) => provider.names(uid)));
      expect(names.map((each) => each?.length)).toEqual([5000, 900, 5000, 4]);
    });
  });

  it("does not go on with another user's pages, whose answer came too late", async () => {
    const [PAGED_RESULTS, SEARCH_DONE] = ['1.2.840.113556.1.4.319', 0x65];
    let tooLate = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      tooLate = resolve;
    });
    let pages = 0;
    // Keeps the second page of one user until the first page of another has come, and sends both in one piece.
    const relay = await listen((client) => {
      let [late, others]: (number | undefined)[] = [];
      const kept: Buffer[] = [];
      const behind = connect(Number(new URL(server.ldap).port), '127.0.0.1');
      behind.on('error', () => client.destroy()).on('close', () => client.destroy());
      client.on('close', () => behind.destroy());
      const ask = messages((message, id) => {
        if (message.includes(PAGED_RESULTS) && message.includes('uid=bulk5000') && ++pages === 2) {
          late = id;
          tooLate();
        } else if (message.includes(PAGED_RESULTS) && message.includes('uid=bulk900')) others ??= id;
        behind.write(message);
      });
      const answer = messages((message, id, operation) => {
        if (id === late) kept.push(message);
        else if (id === others && operation === SEARCH_DONE) client.write(Buffer.concat([message, ...kept.splice(0)]));
        else client.write(message);
      });
      client.on('data', ask);
      behind.on('data', answer);
    });
    onTestFinished(() => relay.close());
    const options = { group_strategy: 'search', nesting_level: 0, max_groups: 10_000, timeout: '5s' };
    await using({ ...options, uris: [`ldap://127.0.0.1:${relay.port}`] }, async (provider) => {
      const slow = provider.names('bulk5000');
      const ended = expect(slow).rejects.toThrow('no answer to a search within 5000 ms');
      await held;
      const names = await provider.names('bulk900');
      await ended;
      expect(new Set(names)).toEqual(new Set(Array.from({ length: 900 }, (_, i) => `bulk${i}`)));
    });
  });
});
