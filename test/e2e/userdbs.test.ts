import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Dovecot,
  type DovecotOptions,
  type DovecotVersion,
  ldapUserLdif,
  startDovecot,
  type Userdb,
  VERSIONS,
} from '../support/dovecot.js';
import { deliver } from '../support/lmtp.js';
import { manageSieve } from '../support/managesieve.js';
import { BASE_LDIF, PASSWORD, READER_DN, type Slapd, startSlapd } from '../support/slapd.js';

/** What Dovecot itself makes of groups that a userdb gives: the ground on which the userdb door stands, and the test of these tests' own tools. */
const FIELDS = { acl_groups: 'acct,sales' };
const BOB = [{ name: 'bob', fields: FIELDS }];
const DIRECTORY = `${BASE_LDIF}${ldapUserLdif('bob', 'employeeType: acct,sales\n')}`;

let slapd: Slapd;
beforeAll(async () => {
  slapd = await startSlapd({ ldif: DIRECTORY });
});
afterAll(() => slapd.remove());

const common = (version: DovecotVersion): DovecotOptions => ({
  version,
  protocols: ['imap', 'pop3', 'lmtp', 'sieve'],
  accounts: [{ name: 'alice' }],
  publicMailboxes: { team: 'group=acct lrwstipekxa\n' },
  sieve: 'require "fileinto";\nfileinto "Public/team";\n',
});

describe.each(VERSIONS)('groups that a userdb of Dovecot %s gives', (version) => {
  describe('are there in every service', () => {
    let dovecot: Dovecot;
    beforeAll(async () => {
      dovecot = await startDovecot({ ...common(version), virtualUsers: BOB });
    });
    afterAll(() => dovecot.stop());

    it('IMAP', async () => {
      expect(await dovecot.groupsOf('bob')).toEqual(['acct', 'sales']);
    });

    it("Sieve's fileinto, by LMTP", async () => {
      expect(await deliver(await dovecot.lmtp(), ['bob', 'ghost'])).toEqual({
        recipients: ['250 2.1.5 OK', "550 5.1.1 <ghost> User doesn't exist: ghost"],
        results: [expect.stringMatching(/^250 2\.0\.0 <bob> \S+ Saved$/)],
      });
      await dovecot.log.wait(/lmtp\(bob\).*stored mail into mailbox 'Public\/team'/);
    });

    it('ManageSieve', async () => {
      const client = await manageSieve(dovecot, 'bob');
      expect(client.login).toEqual({ status: 'OK', text: '"Logged in."', lines: [] });
      expect(await client.activate('own', 'keep;\n')).toMatchObject({ status: 'OK' });
      await client.logout();
    });

    it('doveadm', async () => {
      const lines = async (...words: readonly string[]): Promise<unknown> => {
        const { status, stdout, stderr } = await dovecot.doveadm(words);
        return status === 0 ? stdout.split('\n').filter((line) => line !== '') : { status, stderr };
      };
      expect(await lines('-f', 'flow', 'acl', 'rights', '-u', 'bob', 'Public/team')).toEqual([
        'Rights=lookup read write write-seen write-deleted insert post expunge create delete admin',
      ]);
      expect(await lines('mailbox', 'list', '-u', 'bob', 'Public/*')).toEqual(['Public/team']);
      expect(await lines('user', '-f', 'acl_groups', 'bob')).toEqual(['acct,sales']);
    });
  });

  it.each<[string, () => readonly Userdb[]]>([
    ['passwd-file', () => [{ driver: 'passwd-file', users: BOB, continues: true }, { driver: 'passwd' }]],
    ['static', () => [{ driver: 'static', fields: FIELDS }]],
    ['sql', () => [{ driver: 'sql', users: BOB }]],
    ['prefetch', () => [{ driver: 'prefetch', users: BOB }, { driver: 'passwd' }]],
    [
      'ldap',
      () => [
        {
          ...{ driver: 'ldap', uri: slapd.ldap, base: 'dc=example,dc=test', dn: READER_DN, password: PASSWORD },
          fields: { acl_groups: 'employeeType' },
        },
      ],
    ],
  ])('come from userdb %s', async (_driver, userdbs) => {
    const dovecot = await startDovecot({ ...common(version), userdbs: userdbs(), authCache: true, masterUsers: ['admin'] });
    try {
      expect(await dovecot.groupsOf('bob')).toEqual(['acct', 'sales']);
      expect(await dovecot.groupsOf('bob*admin')).toEqual(['acct', 'sales']);
    } finally {
      await dovecot.stop();
    }
  });
});
