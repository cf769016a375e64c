import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Attribute, Change, Client } from 'ldapts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand, testDirectory } from '../../support/command.js';
import { ldapProvider, type TestProvider } from '../../support/ldap.js';
import { rdn } from '../../support/ldap-content.js';
import { ADMINISTRATOR, DOMAIN_DN, PASSWORD, type Samba, type SambaObject, startSamba, USERS_DN } from '../../support/samba.js';

const dnOf = (name: string): string => `${rdn('CN', name)},${USERS_DN}`;
const user = (name: string): SambaObject => ({
  dn: dnOf(name),
  objectClass: 'user',
  sAMAccountName: name,
  userPrincipalName: `${name}@ad.test`,
});
const group = (name: string, members: readonly string[], account = name.replace(/[^\w ]/g, '_')): SambaObject => ({
  dn: dnOf(name),
  objectClass: 'group',
  sAMAccountName: account,
  ...(members.length > 0 && { member: members.map(dnOf) }),
});

/** LDIF that gives an object other values. An attribute with a colon at its end has its value in base64. */
const replacing = (name: string, values: Readonly<Record<string, string>>): string =>
  `dn: ${dnOf(name)}\nchangetype: modify\n${Object.entries(values)
    .map(([attribute, value]) => `replace: ${attribute.replace(':', '')}\n${attribute}: ${value}\n`)
    .join('-\n')}`;

/** Groups by which a member gets to a portion of memberOf, which is 1,500. */
const MANY = 1600;
const COMMA = 'Sales, West (north)';

/** The schemaIDGUID of the attribute ([MS-ADA3]). */
const OBJECT_CLASS = 'bf9679e5-0de6-11d0-a285-00aa003049e2';

const HELPDESK = `OU=Helpdesk,${DOMAIN_DN}`;
const directory = testDirectory();

describe('Active Directory', () => {
  let samba: Samba;
  let table: Readonly<Record<string, unknown>>;
  beforeAll(async () => {
    samba = await startSamba([
      ...['anna', 'many', 'plain', 'secretive', 'typed'].map(user),
      group('direct', ['anna']),
      ...[1, 2, 3, 4].map((level) => group(`level${level}`, [level === 1 ? 'direct' : `level${level - 1}`])),
      { dn: '', modify: `dn: ${dnOf('direct')}\nchangetype: modify\nadd: member\nmember: ${dnOf('level4')}\n` },
      group(COMMA, ['anna']),
      group('Größe "X" #1 \\ * /', ['anna'], 'odd'),
      group('holds the primary group', ['Domain Users']),
      // Somebody who may make groups in this unit gives one a name that others have elsewhere.
      { dn: HELPDESK, objectClass: 'organizationalUnit' },
      { ...group('Domain Admins', ['plain'], 'helpdesk admins'), dn: `CN=Domain Admins,${HELPDESK}` },
      // No security group: 2 says "global".
      { ...group('newsletter', ['plain']), groupType: '2' },
      { dn: dnOf('implicit'), objectClass: 'user', sAMAccountName: 'implicit' },
      // Nobody but the domain's administrators may read it.
      group('hidden', ['secretive']),
      { dn: '', modify: replacing('hidden', { nTSecurityDescriptor: 'O:DAG:DAD:PAI(A;;GA;;;DA)(A;;GA;;;SY)' }) },
      // Its class may be read by the domain's administrators alone: no filter by it finds it.
      group('classless', ['typed']),
      {
        dn: '',
        modify: replacing('classless', {
          nTSecurityDescriptor: `O:DAG:DAD:PAI(OD;;RP;${OBJECT_CLASS};;AU)(A;;GA;;;DA)(A;;GA;;;SY)(A;;RPLCLORC;;;AU)`,
        }),
      },
      // Who can bind, with the password that all share.
      {
        dn: '',
        modify: replacing('plain', {
          'clearTextPassword:': Buffer.from(PASSWORD, 'utf16le').toString('base64'),
          userAccountControl: '512',
        }),
      },
      ...Array.from({ length: MANY }, (_, i) => group(`bulk${i}`, ['many'])),
    ]);
    table = {
      preset: 'ad',
      uris: [samba.ldaps],
      tls_ca_file: samba.ca.file,
      bind_dn: ADMINISTRATOR,
      bind_password_file: join(samba.directory, 'password'),
      user_base: DOMAIN_DN,
      group_base: DOMAIN_DN,
    };
  });
  afterAll(() => samba.remove());

  async function using(options: Readonly<Record<string, unknown>>, test: (provider: TestProvider) => Promise<void>): Promise<void> {
    const provider = ldapProvider({ ...table, ...options });
    try {
      await test(provider);
    } finally {
      await provider.close?.();
    }
  }

  /** The names of what the server's tokenGroups holds, asked for one by one, and by nothing of ours. */
  async function tokenGroupNames(name: string): Promise<readonly string[]> {
    const client = new Client({ url: samba.ldaps, tlsOptions: { ca: readFileSync(samba.ca.file), host: samba.address } });
    await client.bind(ADMINISTRATOR, readFileSync(join(samba.directory, 'password'), 'utf8').trim());
    try {
      const attributes = ['tokenGroups'];
      const { searchEntries } = await client.search(dnOf(name), { scope: 'base', attributes, explicitBufferAttributes: attributes });
      const names: string[] = [];
      for (const sid of [searchEntries[0]?.tokenGroups ?? []].flat()) {
        const found = await client.search(`<SID=${Buffer.from(sid).toString('hex')}>`, { scope: 'base', attributes: ['sAMAccountName'] });
        names.push(...found.searchEntries.map(({ sAMAccountName }) => String(sAMAccountName)));
      }
      return names;
    } finally {
      await client.unbind();
    }
  }

  const nested = ['direct', 'level1', 'level2', 'level3', 'level4', 'Sales_ West _north_', 'odd'];

  it('gives by name what tokenGroups says, primary group first', async () => {
    await using({}, async (provider) => {
      const names = (await provider.names('anna')) ?? [];
      expect([...names].sort()).toEqual([...(await tokenGroupNames('anna'))].sort());
      expect(names[0]).toBe('Domain Users');
      expect(names).toEqual(expect.arrayContaining([...nested, 'holds the primary group']));
    });
  });

  it('gives the common names where told to', async () => {
    await using({ group_name_attribute: 'CN' }, async (provider) => {
      expect(await provider.names('anna')).toEqual(expect.arrayContaining([COMMA, 'Größe "X" #1 \\ * /']));
    });
  });

  it('is shown by lookup as tokenGroups has it', async () => {
    const file = directory.write(
      'acl-groups.toml',
      `[provider.ldap]\n${Object.entries(table)
        .map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`)
        .join('')}`,
    );
    const { status, stdout } = await runCommand('lookup', '-j', '-D', '2.4', '-p', 'ldap', '-c', file, 'anna@ad.test');
    const { groups } = JSON.parse(stdout) as { readonly groups: readonly { readonly name: string; readonly dn: string }[] };
    expect(status).toBe(0);
    expect(groups.map(({ name }) => name).sort()).toEqual([...(await tokenGroupNames('anna'))].sort());
    expect(groups.every(({ dn }) => dn.endsWith(DOMAIN_DN))).toBe(true);
  });

  it.each(['ldap', 'ldaps'] as const)('works over %s, by account name and by principal name', async (scheme) => {
    await using({ uris: [samba[scheme]] }, async (provider) => {
      expect(await provider.names('ANNA@ad.test')).toEqual(await provider.names('anna'));
      expect(await provider.names('plain')).toEqual(expect.arrayContaining(['Domain Users']));
      expect(await provider.of('nobody')).toBeUndefined();
    });
  });

  it.each(['token_groups', 'search', 'memberof'])(
    'names groups by what is unique in the domain, and has security groups only: %s',
    async (group_strategy) => {
      await using({ group_strategy }, async (provider) => {
        const names = (await provider.names('plain')) ?? [];
        expect(names).toContain('helpdesk admins');
        expect(names).not.toContain('Domain Admins');
        expect(names).not.toContain('newsletter');
      });
      if (group_strategy === 'token_groups') return;
      await using({ group_strategy, distribution_groups: true }, async (provider) => {
        expect(await provider.names('plain')).toContain('newsletter');
      });
    },
  );

  it('knows a user by the principal name that nobody gave him', async () => {
    await using({}, async (provider) => {
      expect(await provider.names('implicit@AD.TEST')).toEqual(await provider.names('implicit'));
      expect(await provider.names('implicit')).toEqual(['Domain Users', 'Users', 'holds the primary group']);
      expect(await provider.of('implicit@elsewhere.test')).toBeUndefined();
    });
  });

  it('resolves more SIDs than one search takes', async () => {
    await using({ max_groups: 5000 }, async (provider) => {
      expect((await provider.names('many'))?.filter((name) => name.startsWith('bulk'))).toHaveLength(MANY);
      expect(provider.lines.filter((line) => line.includes('objectSid=')).length).toBeGreaterThanOrEqual(MANY / 100);
    });
    await using({}, async (provider) => {
      await expect(provider.of('many')).rejects.toThrow(`"${dnOf('many')}" is in more than 1000 groups`);
    });
  });

  it('reads memberOf to its end where it comes in portions', async () => {
    await using({ max_groups: 5000, group_strategy: 'memberof', primary_group: false }, async (provider) => {
      expect((await provider.names('many'))?.filter((name) => name.startsWith('bulk'))).toHaveLength(MANY);
    });
  });

  it.each(['search', 'memberof'] as const)('gives the same groups by %s', async (group_strategy) => {
    await using({ group_strategy }, async (provider) => {
      const names = (await provider.names('anna')) ?? [];
      expect(names[0]).toBe('Domain Users');
      expect(names).toEqual(expect.arrayContaining([...nested, 'holds the primary group']));
    });
    await using({ group_strategy, nesting_level: 0, primary_group: false }, async (provider) => {
      expect(new Set(await provider.names('anna'))).toEqual(new Set(['direct', 'Sales_ West _north_', 'odd']));
    });
  });

  it('follows chains of groups in one search where the filter says so', async () => {
    const group_filter = '(member:1.2.840.113556.1.4.1941:={dn})';
    await using({ group_strategy: 'search', group_filter, nesting_level: 0, primary_group: false }, async (provider) => {
      expect(new Set(await provider.names('anna'))).toEqual(new Set(nested));
    });
  });

  it('leaves out the primary group, and groups outside group_base, when told to', async () => {
    await using({ primary_group: false }, async (provider) => {
      expect(await provider.names('anna')).not.toContain('Domain Users');
    });
    await using({ group_base: `CN=Builtin,${DOMAIN_DN}` }, async (provider) => {
      expect(await provider.names('anna')).toEqual(['Users']);
      expect(provider.lines.join('\n')).toMatch(/tokenGroups has groups that are not below "CN=Builtin,.*: S-1-5-21-[\d-]+-513, S-1-5-21-/);
    });
  });

  it.each(['token_groups', 'search', 'memberof'] as const)(
    'reports groups that this bind may not read, and no others: %s',
    async (group_strategy) => {
      const skipped = async (bind_dn: string, group_base = DOMAIN_DN): Promise<readonly (string | undefined)[]> => {
        let reasons: readonly (string | undefined)[] = [];
        await using({ bind_dn, group_base, group_strategy }, async (provider) => {
          reasons = ((await provider.of('secretive')) ?? []).flatMap(({ name, skip }) => (skip === undefined ? [] : [`${name}: ${skip}`]));
        });
        return reasons;
      };
      expect(await skipped(ADMINISTRATOR)).toEqual([]);
      expect(await skipped(ADMINISTRATOR, `CN=Builtin,${DOMAIN_DN}`)).toEqual([]);
      const unreadable = /^S-1-5-21-[\d-]+: tokenGroups names it, but its entry is not there, or may not be read by this bind$/;
      const hidden = {
        token_groups: [expect.stringMatching(unreadable)],
        // No member that may be read tells of it.
        search: [],
        memberof: [`${dnOf('hidden')}: memberOf names it, and this bind may not read what group_filter asks of its entry`],
      }[group_strategy];
      expect(await skipped('plain@ad.test')).toEqual(hidden);
      // Whether it is elsewhere is known of a DN, and not of a SID.
      expect(await skipped('plain@ad.test', `CN=Builtin,${DOMAIN_DN}`)).toEqual(group_strategy === 'token_groups' ? hidden : []);
    },
  );

  it.each(['token_groups', 'memberof'])('reports a group whose class this bind may not read: %s', async (group_strategy) => {
    await using({ bind_dn: 'plain@ad.test', group_strategy, primary_group: false }, async (provider) => {
      const groups = (await provider.of('typed')) ?? [];
      const isLost = expect.objectContaining({ skip: expect.stringMatching(/may not be read|may not read/), incomplete: true });
      expect(groups.filter(({ skip }) => skip !== undefined)).toEqual([isLost]);
    });
  });

  it.each(['token_groups', 'search', 'memberof'])(
    'gives all groups where the server has a low limit of its own: %s',
    async (group_strategy) => {
      const client = new Client({ url: samba.ldaps, tlsOptions: { ca: readFileSync(samba.ca.file), host: samba.address } });
      await client.bind(ADMINISTRATOR, readFileSync(join(samba.directory, 'password'), 'utf8').trim());
      const policy = `CN=Default Query Policy,CN=Query-Policies,CN=Directory Service,CN=Windows NT,CN=Services,CN=Configuration,${DOMAIN_DN}`;
      const modification = new Attribute({ type: 'lDAPAdminLimits', values: ['MaxPageSize=50'] });
      await client.modify(policy, new Change({ operation: 'replace', modification }));
      await client.unbind();
      // Samba looks for 1,600 members in more than half a minute.
      const nesting_level = group_strategy === 'search' ? 0 : 10;
      await using({ max_groups: 5000, group_strategy, nesting_level }, async (provider) => {
        expect((await provider.names('many'))?.filter((name) => name.startsWith('bulk'))).toHaveLength(MANY);
      });
    },
  );

  it('is told by the server that plain text is not enough', async () => {
    await using({ uris: [samba.ldap], starttls: false }, async (provider) => {
      await expect(provider.of('anna')).rejects.toThrow(
        `${samba.ldap}: bind as "${ADMINISTRATOR}" refused: strong auth required (result 8)`,
      );
    });
  });

  it('says until when the certificate is valid', async () => {
    await using({}, async (provider) => {
      const findings = (await provider.check?.(new AbortController().signal)) ?? [];
      expect(findings[0]?.message).toMatch(
        /bound as "administrator@ad.test", TLSv1\.[23], certificate valid until \d{4}-\d\d-\d\d \((29|30) days\)$/,
      );
      expect(findings.map(({ level }) => level)).not.toContain('error');
    });
  });
});
