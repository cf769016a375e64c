import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { type DovecotOptions, type DovecotVersion, ldapUserLdif, startDovecot, type Userdb, VERSIONS } from '../support/dovecot.js';
import { deliver } from '../support/lmtp.js';
import { PROJECT } from '../support/project.js';
import { BASE_LDIF, PASSWORD, READER_DN, type Slapd, startSlapd } from '../support/slapd.js';

const BOB = [{ name: 'bob' }];
const BOB_LDIF = `${BASE_LDIF}${ldapUserLdif('bob')}`;

/** A file to copy, for this test's command and directory. */
function snippet(name: string, directory: string, command: string): string {
  return readFileSync(join(PROJECT, 'src/package/dovecot', name), 'utf8')
    .replaceAll('/usr/bin/acl-groups', command)
    .replaceAll('%2frun%2fdovecot%2facl-groups', `${directory}/run/acl-groups`.replaceAll('/', '%2f'))
    .replaceAll('/etc/dovecot/acl-groups-ldap.conf.ext', `${directory}/acl-groups-ldap.conf.ext`);
}

/** What the documents say to do beside copying the file: one more line in the userdbs that are there. */
function optionsOf(version: DovecotVersion, userdbs: readonly Userdb[]): DovecotOptions {
  const { command } = inject('installed')[version];
  return {
    version,
    protocols: ['imap', 'pop3', 'lmtp'],
    accounts: [{ name: 'alice' }],
    userdbs: version === '2.3' ? userdbs.map((userdb) => ({ ...userdb, continues: true })) : userdbs,
    etc: {
      'acl-groups.toml': 'providers = ["file"]\n[provider.file]\npath = "/etc/mail-groups"\n',
      'mail-groups': 'team:::bob,alice,ghost\n',
    },
    prepare: async ({ directory }) =>
      writeFileSync(join(directory, 'acl-groups-ldap.conf.ext'), snippet('acl-groups-ldap.conf.ext', directory, command)),
    config: (directory) => {
      const text = snippet(`userdb-${version}.conf`, directory, command);
      const [block = ''] = /^userdb passwd \{.*?^\}\n/ms.exec(text) ?? [];
      return text.replace(block, userdbs.map(({ driver }) => block.replace('passwd', driver)).join(''));
    },
  };
}

describe.each(VERSIONS)("the files to copy for Dovecot %s's userdb", (version) => {
  it.each<[string, (slapd: Slapd | undefined) => readonly Userdb[]]>([
    ['passwd-file', () => [{ driver: 'passwd-file', users: BOB }]],
    ['sql', () => [{ driver: 'sql', users: BOB }]],
    ['prefetch and passwd', () => [{ driver: 'prefetch', users: BOB }, { driver: 'passwd' }]],
    ['passwd-file and passwd', () => [{ driver: 'passwd-file', users: BOB }, { driver: 'passwd' }]],
    ['ldap', (slapd) => [{ driver: 'ldap', uri: slapd?.ldap ?? '', base: 'dc=example,dc=test', dn: READER_DN, password: PASSWORD }]],
  ])('give groups behind %s, and know no users of their own', async (name, userdbs) => {
    const slapd = name === 'ldap' ? await startSlapd({ ldif: BOB_LDIF }) : undefined;
    const dovecot = await startDovecot(optionsOf(version, userdbs(slapd)));
    try {
      expect(await dovecot.groupsOf('bob')).toEqual(['team']);
      expect((await dovecot.doveadm(['user', 'ghost'])).status).toBe(67);
      expect((await deliver(await dovecot.lmtp(), ['ghost'])).recipients).toEqual(["550 5.1.1 <ghost> User doesn't exist: ghost"]);
      expect((await dovecot.doveadm(['user', '*'])).status).toBe(0);
    } finally {
      await dovecot.stop();
      await slapd?.remove();
    }
  });

  it('give groups behind static, to whom everybody is a user', async () => {
    const dovecot = await startDovecot(optionsOf(version, [{ driver: 'static' }]));
    try {
      expect(await dovecot.groupsOf('bob')).toEqual(['team']);
    } finally {
      await dovecot.stop();
    }
  });

  it("give groups to the machine's accounts", async () => {
    const dovecot = await startDovecot(optionsOf(version, [{ driver: 'passwd' }]));
    try {
      expect(await dovecot.groupsOf('alice')).toEqual(['team']);
    } finally {
      await dovecot.stop();
    }
  });
});
