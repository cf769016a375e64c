import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ldapProvider } from '../../support/ldap.js';
import { BASE_LDIF, READER_DN, type Slapd, startSlapd } from '../../support/slapd.js';

describe('a small directory', () => {
  let slapd: Slapd;
  beforeAll(async () => {
    slapd = await startSlapd({
      rfc2307bis: true,
      ldif: `${BASE_LDIF}dn: uid=alice,ou=people,dc=example,dc=test
objectClass: account
objectClass: posixAccount
uid: alice
cn: alice
uidNumber: 1
gidNumber: 100
homeDirectory: /x

dn: cn=staff,ou=groups,dc=example,dc=test
objectClass: groupOfNames
cn: staff
member: uid=alice,ou=people,dc=example,dc=test

`,
    });
  });
  afterAll(() => slapd.remove());
  it('gives the groups of its users', async () => {
    const provider = ldapProvider({
      uris: [slapd.ldap],
      starttls: false,
      bind_dn: READER_DN,
      bind_password_file: join(slapd.directory, 'password'),
      user_base: 'ou=people,dc=example,dc=test',
      group_base: 'ou=groups,dc=example,dc=test',
    });
    try {
      expect(await provider.names('alice')).toEqual(['staff', '100']);
      expect(await provider.names('bob')).toBeUndefined();
    } finally {
      await provider.close?.();
    }
  });
});
