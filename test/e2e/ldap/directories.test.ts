import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ca, type Certificate, makeCa } from '../../support/ca.js';
import { ldapProvider, type TestProvider } from '../../support/ldap.js';
import { AWKWARD, AWKWARD_USERS, bigDirectory, GROUPS, LOST_ELSEWHERE, PEOPLE } from '../../support/ldap-content.js';
import { READER_DN, type Slapd, searchesIn, startSlapd } from '../../support/slapd.js';
import { temporaryDirectory } from '../../support/temporary.js';

const directory = temporaryDirectory();
let ca: Ca;
let certificate: Certificate;
let client: Certificate;
beforeAll(() => {
  ca = makeCa(directory);
  certificate = ca.issue('server', ['DNS:localhost', 'IP:127.0.0.1']);
  client = ca.issue('client certificate', []);
});

/** Runs a test with a provider, and closes it. */
async function using(table: Readonly<Record<string, unknown>>, test: (provider: TestProvider) => Promise<void>): Promise<void> {
  const provider = ldapProvider({ user_base: PEOPLE, group_base: GROUPS, ...table });
  try {
    await test(provider);
  } finally {
    await provider.close?.();
  }
}

const NO_BIND = { bind_dn: '', bind_password_file: '' };

describe.each(['rfc2307bis', 'rfc2307'] as const)('%s with 10,000 users and 2,000 groups', (preset) => {
  const content = bigDirectory(preset);
  let slapd: Slapd;
  let simple: Readonly<Record<string, unknown>>;
  beforeAll(async () => {
    slapd = await startSlapd({ ldif: content.ldif, rfc2307bis: preset === 'rfc2307bis', tls: { ca, certificate, verifyClient: 'allow' } });
    // In RFC 2307 a user without a primary group is no posixAccount; the preset's own filter is used further down.
    simple = {
      preset,
      user_filter: '(uid={user})',
      tls_ca_file: ca.file,
      bind_dn: READER_DN,
      bind_password_file: join(slapd.directory, 'password'),
    };
  });
  afterAll(() => slapd.remove());

  const sample = ['alice', 'lonely', 'user0', 'user1999', 'user5000', 'user9999', ...AWKWARD_USERS];
  const expectModel = async (provider: TestProvider): Promise<void> => {
    for (const uid of sample) {
      const names = await provider.names(uid);
      expect(new Set(names), uid).toEqual(content.groupsOf.get(uid));
      expect(names).toHaveLength(content.groupsOf.get(uid)?.size ?? -1);
    }
  };

  it.each([
    ['ldap', (): object => ({ ...simple, uris: [slapd.ldap], starttls: false }), false],
    ['StartTLS', (): object => ({ ...simple, uris: [slapd.ldap] }), true],
    ['LDAPS', (): object => ({ ...simple, uris: [slapd.ldaps] }), true],
    ['ldapi with EXTERNAL', (): object => ({ ...simple, ...NO_BIND, uris: [slapd.ldapi], sasl_mechanism: 'EXTERNAL' }), false],
    [
      'StartTLS with EXTERNAL',
      (): object => ({
        ...simple,
        ...NO_BIND,
        uris: [slapd.ldap],
        sasl_mechanism: 'EXTERNAL',
        tls_cert_file: client.cert,
        tls_key_file: client.key,
      }),
      true,
    ],
  ])('gives the groups of the model over %s', async (_, table, tls) => {
    const before = searchesIn(slapd.log()).length;
    await using({ ...table() }, expectModel);
    const searches = searchesIn(slapd.log()).slice(before);
    expect(searches.length).toBeGreaterThan(sample.length);
    expect(searches.filter((search) => search.dn.toLowerCase() !== READER_DN || search.tls !== tls)).toEqual([]);
  });

  it('makes one connection, however many lookups there are at once', async () => {
    const connections = (): number => slapd.log().split(' ACCEPT from ').length;
    const before = connections();
    await using({ ...simple, user_filter: '', uris: [slapd.ldap] }, async (provider) => {
      const users = Array.from({ length: 1000 }, (_, i) => `user${i * 7}`);
      const answers = await Promise.all(users.map((user) => provider.names(user)));
      expect(answers.map((names) => new Set(names))).toEqual(users.map((user) => content.groupsOf.get(user)));
    });
    expect(connections() - before).toBe(1);
  });

  it('tells an unknown user from one without groups', async () => {
    await using({ ...simple, uris: [slapd.ldaps] }, async (provider) => {
      expect(await provider.of('stranger')).toBeUndefined();
      expect(await provider.of('')).toBeUndefined();
      expect(await provider.of('lonely')).toEqual([LOST_ELSEWHERE]);
    });
  });

  it('finds users whatever the case, and groups by the user as the directory spells it', async () => {
    await using({ ...simple, uris: [slapd.ldaps] }, async (provider) => {
      expect(new Set(await provider.names('USER7'))).toEqual(content.groupsOf.get('user7'));
    });
  });

  it('leaves out the primary group when told to, and reports one that has no entry', async () => {
    await using({ ...simple, uris: [slapd.ldaps] }, async (provider) => {
      const skip = `no group in "${GROUPS}" has this gidNumber, or this bind may not read it; to ignore primary groups, set primary_group = false`;
      expect(await provider.of('nobodys')).toEqual([LOST_ELSEWHERE, { name: '4242424', gid: 4_242_424, skip, incomplete: true }]);
      expect((await provider.of('user3'))?.[0]).toMatchObject({ name: 'group3', gid: 10_003 });
    });
    await using({ ...simple, uris: [slapd.ldaps], primary_group: false }, async (provider) => {
      expect(await provider.of('nobodys')).toEqual([LOST_ELSEWHERE]);
    });
  });

  it('refuses an answer that the server has cut off, and more groups than max_groups', async () => {
    await using({ ...simple, uris: [slapd.ldaps] }, async (provider) => {
      await expect(provider.of('many')).rejects.toThrow('ldap: the server cuts off its answer: raise its size limit for this bind');
    });
    await using({ ...simple, uris: [slapd.ldaps], max_groups: 5 }, async (provider) => {
      await expect(provider.of('alice')).rejects.toThrow(
        `ldap: "uid=alice,${PEOPLE}" is in more than 5 groups; to allow more, set max_groups`,
      );
    });
  });

  it('refuses to choose between two users', async () => {
    await using({ ...simple, uris: [slapd.ldaps], user_filter: '(|(uid={user})(uid=user1))' }, async (provider) => {
      await expect(provider.of('alice')).rejects.toThrow('ldap: user_filter finds 2 entries for "alice": ');
    });
  });

  it('takes a base that is missing for a mistake, not for "no groups"', async () => {
    await using({ ...simple, uris: [slapd.ldaps], user_base: 'ou=missing,dc=example,dc=test' }, async (provider) => {
      await expect(provider.of('alice')).rejects.toThrow('ldap: user_base "ou=missing,dc=example,dc=test" is not there');
    });
    await using({ ...simple, uris: [slapd.ldaps], group_base: 'ou=missing,dc=example,dc=test' }, async (provider) => {
      await expect(provider.of('alice')).rejects.toThrow('ldap: group_base "ou=missing,dc=example,dc=test" is not there');
    });
  });

  it('reaches exactly one entry or none, whatever a user name is made of', async () => {
    const byName = new Map([...content.groupsOf].map(([uid, groups]) => [uid.toLowerCase(), groups]));
    const syntax = fc.constantFrom(
      '*',
      '(',
      ')',
      '\\',
      '|',
      '&',
      '!',
      '=',
      ',',
      '+',
      '"',
      '#',
      ';',
      '<',
      '>',
      '@',
      '\\2a',
      '\\00',
      'uid',
      'cn',
      'user1',
      'alice',
      ')(uid=*',
      '{user}',
      '{dn}',
    );
    const names = fc.oneof(
      fc.constantFrom(...AWKWARD_USERS),
      fc.array(syntax, { minLength: 1, maxLength: 8 }).map((parts) => parts.join('')),
    );
    await using({ ...simple, uris: [slapd.ldapi], sasl_mechanism: '' }, async (provider) => {
      await fc.assert(
        fc.asyncProperty(names, async (name) => {
          const groups = await provider.names(name);
          expect(groups && new Set(groups)).toEqual(byName.get(name.toLowerCase()));
        }),
        { numRuns: 1000 },
      );
    });
    // The same in the base, where a name that got out would find everybody.
    await using(
      { ...simple, uris: [slapd.ldapi], user_base: `uid={user},${PEOPLE}`, user_filter: '(objectClass=inetOrgPerson)' },
      async (provider) => {
        await fc.assert(
          fc.asyncProperty(names, async (name) => {
            const groups = await provider.names(name);
            expect(groups && new Set(groups)).toEqual(byName.get(name.toLowerCase()));
          }),
          { numRuns: 1000 },
        );
      },
    );
  });

  it('shows what it asks for, and never a password', async () => {
    await using({ ...simple, uris: [slapd.ldaps] }, async (provider) => {
      await provider.of('alice');
      expect(provider.lines[0]).toMatch(new RegExp(`^debug: ${slapd.ldaps}: connected, bound as "${READER_DN}", [\\d.]+ ms$`));
      expect(provider.lines[1]).toMatch(
        /^debug: search base="ou=people,dc=example,dc=test" scope=sub filter=\(.*uid=alice.* entries=1 [\d.]+ ms \(ldaps:/,
      );
      expect(provider.lines.join()).not.toMatch(/s3cret/);
    });
  });
});

describe('rfc2307bis', () => {
  const content = bigDirectory('rfc2307bis');
  let slapd: Slapd;
  let table: Readonly<Record<string, unknown>>;
  beforeAll(async () => {
    slapd = await startSlapd({ ldif: content.ldif, rfc2307bis: true });
    table = { uris: [slapd.ldapi], bind_dn: READER_DN, bind_password_file: join(slapd.directory, 'password') };
  });
  afterAll(() => slapd.remove());

  const nested = (names: readonly string[] | undefined): readonly string[] =>
    (names ?? []).filter((name) => /^nest|^around/.test(name)).sort();

  it('follows groups in groups as far as it is told, and comes back from a cycle', async () => {
    for (const [nesting_level, expected] of [
      [0, ['nest0']],
      [1, ['around awkward', 'nest0', 'nest1']],
      [2, ['around awkward', 'nest0', 'nest1', 'nest2']],
      [10, ['around awkward', 'nest0', 'nest1', 'nest2', 'nest3', 'nest4']],
    ] as const) {
      await using({ ...table, nesting_level }, async (provider) => {
        expect(nested(await provider.names('alice'))).toEqual(expected);
      });
    }
  });

  it('asks once per level, not once per group', async () => {
    await using({ ...table, primary_group: false }, async (provider) => {
      await provider.of('alice');
      // The user, the direct groups, the five levels, and the last one that brings nothing new.
      expect(provider.lines.filter((line) => line.includes('search base')).length).toBeLessThanOrEqual(8);
    });
  });

  it('gives awkward names byte for byte, with the DN', async () => {
    await using(table, async (provider) => {
      const groups = ((await provider.of('alice')) ?? []).filter(({ skip }) => skip === undefined);
      expect(groups.map(({ name }) => name)).toEqual(expect.arrayContaining([...AWKWARD]));
      const twins = ['one', 'two'].map((ou) => `"cn=twin,ou=${ou},${GROUPS}"`).join(', ');
      expect(groups.filter(({ name }) => name === 'twin')).toMatchObject([
        { warning: `2 entries have this name: ${twins}; only one group is granted` },
      ]);
      expect(groups.every(({ dn }) => dn?.endsWith(GROUPS))).toBe(true);
    });
  });

  it('finds users whose names are not ASCII', async () => {
    await using(table, async (provider) => {
      expect(await provider.names('müller 日本')).toEqual(['of Müller']);
    });
  });

  it('finds the groups of a user in more than a batch of them', async () => {
    await using({ ...table, group_filter: '(&(cn=group1*)(member={dn}))' }, async (provider) => {
      const expected = [...(content.groupsOf.get('many') ?? [])].filter((name) => name.startsWith('group1'));
      expect(new Set(await provider.names('many'))).toEqual(new Set(expected));
      expect(expected.length).toBeGreaterThan(100);
    });
  });

  it('knows that this is no Active Directory', async () => {
    for (const options of [{ group_strategy: 'token_groups' }, { group_filter: '(member:1.2.840.113556.1.4.1941:={dn})' }]) {
      await using({ ...table, ...options }, async (provider) => {
        await expect(provider.of('alice')).rejects.toThrow('ldap: the server is no Active Directory');
      });
    }
  });

  it('is checked: server, certificate, bind, bases and speed', async () => {
    await using(table, async (provider) => {
      const findings = (await provider.check?.(new AbortController().signal)) ?? [];
      expect(findings.map(({ level }) => level)).toEqual(['ok', 'ok', 'ok', 'ok', 'ok']);
    });
    await using({ ...table, group_base: 'ou=missing,dc=example,dc=test', user_filter: '(cn=*{user}*)' }, async (provider) => {
      const findings = (await provider.check?.(new AbortController().signal)) ?? [];
      expect(findings).toContainEqual({
        level: 'error',
        message: expect.stringContaining('group_base: search in "ou=missing,dc=example,dc=test": no such object (result 32)'),
        fix: 'correct group_base, or let this bind read it',
      });
      expect(findings).toContainEqual({
        level: 'warning',
        message: expect.stringContaining('user_filter: a search takes '),
        fix: 'give the server an index for each attribute of (cn=*acl-groups-check-nobody*)',
      });
    });
  });
});
