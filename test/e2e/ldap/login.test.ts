import { chown, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { makeCa } from '../../support/ca.js';
import { type Dovecot, type DovecotOptions, type DovecotVersion, startDovecot, VERSIONS } from '../../support/dovecot.js';
import { GROUPS, PEOPLE } from '../../support/ldap-content.js';
import { serveBlock } from '../../support/serve.js';
import { BASE_LDIF, PASSWORD, READER_DN, type Slapd, searchesIn, startSlapd } from '../../support/slapd.js';
import { temporaryDirectory } from '../../support/temporary.js';
import type { World } from '../../support/world.js';

const USERS = ['alice', 'bob', 'carol', 'lonely', 'stranger'];
const NESTED = ['Domain Users', 'acct', 'all of them'];
const LDIF = `${BASE_LDIF}${USERS.slice(0, -1)
  .map((uid) => `dn: uid=${uid},${PEOPLE}\nobjectClass: inetOrgPerson\nuid: ${uid}\ncn: x\nsn: x\n\n`)
  .join('')}${[
  ['Domain Users', ...['alice', 'bob', 'carol'].map((uid) => `uid=${uid},${PEOPLE}`)],
  ['acct', `uid=alice,${PEOPLE}`],
  ['all of them', `cn=acct,${GROUPS}`],
]
  .map(
    ([cn, ...members]) =>
      `dn: cn=${cn},${GROUPS}\nobjectClass: groupOfNames\ncn: ${cn}\n${members.map((dn) => `member: ${dn}\n`).join('')}\n`,
  )
  .join('')}`;

const directory = temporaryDirectory();
const ca = makeCa(directory);
let slapd: Slapd;
beforeAll(async () => {
  slapd = await startSlapd({ ldif: LDIF, tls: { ca, certificate: ca.issue('server', ['DNS:localhost']) } });
});
afterAll(async () => {
  expect(searchesIn(slapd.log()).filter(({ dn, tls }) => dn !== READER_DN || !tls)).toEqual([]);
  await slapd.remove();
});

/** A Dovecot whose post-login service takes its groups from slapd, with a password that only the service's user can read. */
async function dovecotWith(version: DovecotVersion, options: Partial<DovecotOptions>, ttl = '1ms'): Promise<Dovecot> {
  // A slow machine is no failure.
  const config = `providers = ["ldap"]
timeout = "60s"
[cache]
ttl = "${ttl}"
stale_ttl = "1h"
[provider.ldap]
uris = ["${slapd.ldap}"]
tls_ca_file = "ldap/ca.pem"
bind_dn = "${READER_DN}"
bind_password_file = "ldap/password"
user_base = "${PEOPLE}"
group_base = "${GROUPS}"
connect_timeout = "30s"
timeout = "30s"
`;
  const accounts = USERS.map((name) => ({ name }));
  const etc = { 'acl-groups.toml': config, 'ldap/ca.pem': await readFile(ca.file, 'utf8') };
  const prepare = async (world: World): Promise<void> => {
    const file = join(world.etc, 'ldap/password');
    await writeFile(file, PASSWORD, { mode: 0o600 });
    const { stdout } = await world.run(['id', '-u', 'dovecot']);
    await chown(file, Number(stdout), 0);
  };
  return await startDovecot({ version, accounts, etc, prepare, ...options });
}

describe.each(VERSIONS)('LDAP groups in a login to Dovecot %s', (version) => {
  // A failed test must not leave the next one without a server.
  afterEach(async () => {
    await slapd.end();
    await slapd.start();
  });

  describe('exec mode', () => {
    let dovecot: Dovecot;
    beforeAll(async () => {
      dovecot = await dovecotWith(version, { postLogin: inject('installed')[version].command });
    });
    afterAll(() => dovecot.stop());

    it('gives the groups of the directory, nested ones too', async () => {
      expect((await dovecot.groupsOf('alice')).toSorted()).toEqual(NESTED);
      expect(await dovecot.groupsOf('bob')).toEqual(['Domain Users']);
    });

    it('lets users in who have no groups, and users that the directory does not know', async () => {
      expect(await dovecot.groupsOf('lonely')).toEqual([]);
      expect(await dovecot.groupsOf('stranger')).toEqual([]);
    });

    it('lets nobody in while the server is away, and says why', async () => {
      await slapd.end('SIGKILL');
      await expect(dovecot.groupsOf('alice')).rejects.toThrow();
      await dovecot.log.wait(
        new RegExp(
          `Error: .*alice: provider ldap failed: ldap: no server can be used: ${slapd.ldap}: connect ECONNREFUSED .*; login denied`,
        ),
      );
      await slapd.start();
      expect((await dovecot.groupsOf('alice')).toSorted()).toEqual(NESTED);
    });
  });

  describe('serve mode', () => {
    let dovecot: Dovecot;
    beforeAll(async () => {
      const config = serveBlock(version, inject('installed')[version].command);
      dovecot = await dovecotWith(version, { postLoginSocket: 'acl-groups', config });
    });
    afterAll(() => dovecot.stop());

    it('gives the groups of the directory, nested ones too', async () => {
      expect((await dovecot.groupsOf('alice')).toSorted()).toEqual(NESTED);
      expect(await dovecot.groupsOf('lonely')).toEqual([]);
      expect(await dovecot.groupsOf('stranger')).toEqual([]);
    });

    it('lets in those whose groups it knows while the server is away, and nobody else', async () => {
      expect((await dovecot.groupsOf('alice')).toSorted()).toEqual(NESTED);
      await slapd.end('SIGKILL');
      expect((await dovecot.groupsOf('alice')).toSorted()).toEqual(NESTED);
      await expect(dovecot.groupsOf('bob')).rejects.toThrow();
      await dovecot.log.wait(new RegExp(`Error: .*bob: provider ldap failed: ldap: no server can be used: ${slapd.ldap}: `));
      await slapd.start();
      expect(await dovecot.groupsOf('bob')).toEqual(['Domain Users']);
    });
  });

  it('asks the directory once for 100 logins of one user at once', async () => {
    const config = serveBlock(version, inject('installed')[version].command);
    const dovecot = await dovecotWith(version, { postLoginSocket: 'acl-groups', config }, '1h');
    try {
      const searches = (): number => slapd.log().split('filter="(uid=carol)"').length;
      const before = searches();
      const clients = await Promise.all(Array.from({ length: 100 }, () => dovecot.imap()));
      const logins = await Promise.all(clients.map((client) => client.command('LOGIN carol secret')));
      expect(new Set(logins.map(({ status }) => status))).toEqual(new Set(['OK']));
      expect(searches() - before).toBe(1);
    } finally {
      await dovecot.stop();
    }
  });
});
