import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { type Dovecot, type DovecotOptions, type ImapReply, startDovecot, VERSIONS } from '../support/dovecot.js';
import { deliver } from '../support/lmtp.js';
import { loginLoad } from '../support/logins.js';
import { manageSieve } from '../support/managesieve.js';
import { gone, serveBlock, servicePid, servicePids } from '../support/serve.js';
import { userdbDoor } from '../support/userdb-door.js';

const USERS = ['alice', 'bob', 'carol'];

/** What a client is told of its login, or how the connection ended. */
async function told(reply: Promise<ImapReply>): Promise<string> {
  return reply.then(
    ({ status, text }) => `${status} ${text}`,
    (error: Error) => error.message,
  );
}

/** A login that may work later: 2.3 says so, 2.4.1 closes the connection of a client that it can't look up for now. */
const FOR_NOW = /^NO \[UNAVAILABLE\]|^connection closed by the server/;

/** A login that fails after the password was right. Whether NO arrives before the end of the connection is a race within Dovecot, both versions. */
const KEPT_OUT = /^NO |^connection closed by the server/;

describe.each(VERSIONS)('the userdb door under Dovecot %s', (version) => {
  const command = (): string => inject('installed')[version].command;
  const options = (): DovecotOptions => ({
    version,
    protocols: ['imap', 'pop3', 'lmtp', 'sieve'],
    accounts: USERS.map((name) => ({ name })),
    groups: { acct: ['alice', 'bob'], 'Domain Users': ['alice'], 'CORP\\sales': ['alice'], '100%': ['alice'] },
    userdbs: [{ driver: 'passwd', continues: true }],
    publicMailboxes: { team: 'group=acct lrwstipekxa\n' },
    sieve: 'require "fileinto";\nfileinto "Public/team";\n',
    ...userdbDoor(version, command()),
  });
  const start = async (more: Partial<DovecotOptions> = {}): Promise<Dovecot> => {
    const dovecot = await startDovecot({ ...options(), ...more });
    onTestFinished(() => dovecot.stop());
    await servicePid(dovecot);
    return dovecot;
  };
  const lines = async (dovecot: Dovecot, ...words: readonly string[]): Promise<unknown> => {
    const { status, stdout, stderr } = await dovecot.doveadm(words);
    return status === 0 ? stdout.split('\n').filter((line) => line !== '') : { status, stderr };
  };

  describe('gives groups to every service', () => {
    let dovecot: Dovecot;
    beforeAll(async () => {
      dovecot = await startDovecot(options());
      await servicePid(dovecot);
    });
    afterAll(() => dovecot.stop());

    it('IMAP, names with blanks, backslashes and percent signs included', async () => {
      expect([...(await dovecot.groupsOf('alice'))].sort()).toEqual(['100%', 'CORP\\sales', 'Domain Users', 'acct', 'alice']);
      expect(await dovecot.groupsOf('carol')).toEqual(['carol']);
    });

    it('POP3', async () => {
      const client = await dovecot.pop3();
      client.write('USER bob\r\nPASS secret\r\nQUIT\r\n');
      await client.closed();
      expect([...(await dovecot.session(client)).groups].sort()).toEqual(['acct', 'bob']);
    });

    it("Sieve's fileinto, by LMTP; nobody becomes a mail user by it", async () => {
      expect(await deliver(await dovecot.lmtp(), ['bob', 'ghost'])).toEqual({
        recipients: ['250 2.1.5 OK', "550 5.1.1 <ghost> User doesn't exist: ghost"],
        results: [expect.stringMatching(/^250 2\.0\.0 <bob> \S+ Saved$/)],
      });
      await dovecot.log.wait(/lmtp\(bob\).*stored mail into mailbox 'Public\/team'/);
    });

    it('ManageSieve', async () => {
      const client = await manageSieve(dovecot, 'bob');
      expect(client.login).toMatchObject({ status: 'OK' });
      expect(await client.activate('own', 'keep;\n')).toMatchObject({ status: 'OK' });
      await client.logout();
    });

    it('doveadm, which lists the users that it listed before', async () => {
      expect(await lines(dovecot, 'mailbox', 'list', '-u', 'bob', 'Public/*')).toEqual(['Public/team']);
      expect(await lines(dovecot, 'mailbox', 'list', '-u', 'carol', 'Public/*')).toEqual([]);
      expect(await lines(dovecot, '-f', 'flow', 'acl', 'rights', '-u', 'bob', 'Public/team')).toEqual([
        'Rights=lookup read write write-seen write-deleted insert post expunge create delete admin',
      ]);
      expect(await lines(dovecot, 'user', '-f', 'acl_groups', 'bob')).toEqual(['bob,acct']);
      expect(await lines(dovecot, 'user', 'ghost')).toMatchObject({ status: 67 });
      const listed = await lines(dovecot, 'user', '*');
      expect(listed).toEqual(expect.arrayContaining(USERS));
      expect(new Set(listed as string[]).size).toBe((listed as string[]).length);
    });
  });

  it.each([
    ['fails', 'providers = ["file"]\n[provider.file]\npath = "/etc/missing-groups"\n'],
    ['has a broken configuration', 'providers = [\n'],
  ])('fails for now while the service %s, and delivers when that is over', async (_, toml) => {
    const dovecot = await startDovecot({ ...options(), etc: { 'acl-groups.toml': toml } });
    onTestFinished(() => dovecot.stop());
    const client = await dovecot.imap();
    expect(await told(client.command('LOGIN bob secret'))).toMatch(FOR_NOW);
    expect((await deliver(await dovecot.lmtp(), ['bob'])).recipients).toEqual([expect.stringMatching(/^451 4\.3\.0 <bob> /)]);
    expect(await lines(dovecot, 'user', 'bob')).toMatchObject({ status: 75 });
    await writeFile(join(dovecot.world.etc, 'acl-groups.toml'), 'providers = ["unix"]\n');
    for (const pid of await servicePids(dovecot)) process.kill(pid, 'SIGHUP');
    await dovecot.log.wait(/configuration read again/);
    expect(await deliver(await dovecot.lmtp(), ['bob'])).toMatchObject({ results: [expect.stringMatching(/^250 /)] });
  });

  it('logs in whom no provider knows, with nothing added, or keeps him out by result_failure', async () => {
    const etc = {
      'acl-groups.toml': 'providers = ["file"]\n[provider.file]\npath = "groups.virtual"\n',
      'groups.virtual': 'staff:::alice\n',
    };
    const open = await start({ etc });
    expect(await open.groupsOf('alice')).toEqual(['staff']);
    expect(await open.groupsOf('bob')).toEqual([]);
    const closed = await start({
      etc,
      ...userdbDoor(version, command(), (text) =>
        text.replace(/( *)skip = notfound\n/, '$1skip = notfound\n$1result_failure = return-fail\n'),
      ),
    });
    expect(await closed.groupsOf('alice')).toEqual(['staff']);
    const client = await closed.imap();
    expect(await told(client.command('LOGIN bob secret'))).toMatch(KEPT_OUT);
  });

  it('keeps groups that an earlier userdb gave, where the filter states them', async () => {
    const existing = version === '2.3' ? '(aclGroups=%{userdb:acl_groups})' : '(aclGroups=%{userdb:acl_groups | default})';
    const dovecot = await start({
      userdbs: [{ driver: 'passwd-file', continues: true, users: [{ name: 'alice', fields: { acl_groups: 'old' } }] }],
      ...userdbDoor(version, command(), (text) => text.replace(/\(&\(uid=/g, () => `(&${existing}(uid=`)),
    });
    const groups = await dovecot.groupsOf('alice');
    expect(groups).toContain('old');
    expect(groups).toContain('acct');
  });

  it('gives each user his own groups, whatever his name means in a filter, a DN or a variable', async () => {
    const names = [
      'a(b',
      'a)(uid=bob',
      'a\\2ab',
      'a\\',
      'a=b+c',
      '#a',
      'a"b',
      'a;b<c>',
      '%u',
      '%{user}',
      'a b',
      'a@b@c',
      "o'hara",
      'gr\u00fc\u00dfe',
      'gru\u0308\u00dfe',
      '\u{1f600}',
      '&',
      '!a',
      '\ufeffa',
      'a',
    ];
    const dovecot = await start({
      // Everybody exists: passwd-file escapes names in a way of its own.
      userdbs: [{ driver: 'static', continues: true }],
      etc: {
        'acl-groups.toml': 'providers = ["file"]\n[provider.file]\npath = "groups.virtual"\n',
        'groups.virtual': names.map((name, index) => `g${index}:::${name}\n`).join(''),
      },
      ...userdbDoor(version, command(), (text) => text.replace(/^service acl-groups /m, 'auth_username_chars =\n$&')),
    });
    const found = [];
    for (const name of names) found.push([name, await lines(dovecot, 'user', '-f', 'acl_groups', name)]);
    expect(found.filter(([, groups], index) => JSON.stringify(groups) !== JSON.stringify([`g${index}`]))).toEqual([]);
  });

  it.each(['userdb', 'post-login'])('gives a master user the groups of the one as whom Dovecot checks ACLs, by %s', async (way) => {
    const stated = version === '2.3' ? '(masterUser=%{master_user})' : '(masterUser=%{master_user | default})';
    const door = userdbDoor(version, command(), (text) => text.replace(/\(&\(uid=/g, () => `(&${stated}(uid=`));
    const dovecot = await start({
      accounts: [...USERS, 'admin'].map((name) => ({ name })),
      groups: { acct: ['alice'], boss: ['admin'] },
      masterUsers: ['admin'],
      ...(way === 'userdb' ? door : { ...door, config: () => serveBlock(version, command()), postLoginSocket: 'acl-groups' }),
    });
    const expected = { '2.3': ['admin', 'boss'], '2.4': ['acct', 'alice'] }[version];
    expect([...(await dovecot.groupsOf('alice*admin'))].sort()).toEqual(expected);
    expect([...(await dovecot.groupsOf('alice'))].sort()).toEqual(['acct', 'alice']);
  });

  it("fills Dovecot's reply up to the room for other fields, and denies one byte more", async () => {
    /** Groups whose names take so many bytes, commas included. */
    const groups = (bytes: number): string[] => {
      const names = Array.from({ length: 70 }, (_, index) => `${index}`.padEnd(100, 'g'));
      return [...names, 'g'.repeat(bytes - names.join(',').length - 1)];
    };
    const room = 8192 - 1024 - 'acl_groups=\t'.length;
    const file = [...groups(room).map((name) => `${name}:::alice`), ...groups(room + 1).map((name) => `${name}:::bob`)];
    const dovecot = await start({
      etc: {
        'acl-groups.toml': 'providers = ["file"]\n[provider.file]\npath = "groups.virtual"\n',
        'groups.virtual': `${file.join('\n')}\n`,
      },
    });
    expect([...(await dovecot.groupsOf('alice'))].sort()).toEqual(groups(room).sort());
    expect(await told((await dovecot.imap()).command('LOGIN bob secret'))).toMatch(FOR_NOW);
    await dovecot.log.wait(new RegExp(`acl-groups: Error: bob: 71 groups take ${room + 1} bytes, and a userdb reply has room for ${room}`));
  });

  it('answers the second login from the auth cache, until that is flushed', async () => {
    const dovecot = await start({
      authCache: true,
      userdbs: [{ driver: 'passwd-file', continues: true, users: [{ name: 'bob' }] }],
    });
    const lookups = async (): Promise<number> => {
      const status = await dovecot.world.run([command(), 'status', '--json', '--socket', join(dovecot.world.directory, 'run/acl-groups')]);
      return Number((JSON.parse(status.stdout) as { readonly logins: number }).logins);
    };
    expect([...(await dovecot.groupsOf('bob'))].sort()).toEqual(['acct', 'bob']);
    const asked = await lookups();
    await dovecot.groupsOf('bob');
    expect(await lookups()).toBe(asked);
    const group = join(dovecot.world.etc, 'group');
    await writeFile(group, (await readFile(group, 'utf8')).replace(/^acct:.*$/m, 'acct:x:29999:alice'));
    for (const pid of await servicePids(dovecot)) process.kill(pid, 'SIGHUP');
    await dovecot.log.wait(/configuration read again/);
    expect((await dovecot.doveadm(['auth', 'cache', 'flush', 'bob'])).status).toBe(0);
    expect(await dovecot.groupsOf('bob')).toEqual(['bob']);
  });

  it('lets nobody in who comes by a passdb that points here by mistake', async () => {
    const auth = (directory: string): string => {
      const uri = `ldapi://${directory.replaceAll('/', '%2f')}%2frun%2facl-groups`;
      return version === '2.3'
        ? `passdb {\n  driver = ldap\n  args = ${directory}/passdb.ext\n}\n`
        : `passdb ldap {\n  ldap_uris = ${uri}\n  ldap_base = dc=acl-groups\n  passdb_ldap_bind = yes\n  passdb_ldap_filter = (uid=%{user})\n}\n`;
    };
    const door = userdbDoor(version, command());
    const dovecot = await start({
      passdb:
        version === '2.3'
          ? 'passdb {\n  driver = ldap\n  args = /nowhere\n}\n'
          : 'passdb static {\n  password = never\n  fields {\n    nologin = yes\n  }\n}\n',
      config: (directory) => `${typeof door.config === 'function' ? door.config(directory) : ''}${auth(directory)}`,
      prepare: async (world) => {
        await door.prepare?.(world);
        const uri = `ldapi://${world.directory.replaceAll('/', '%2f')}%2frun%2facl-groups`;
        const conf = join(world.directory, 'dovecot.conf');
        await writeFile(conf, (await readFile(conf, 'utf8')).replace('args = /nowhere', `args = ${world.directory}/passdb.ext`));
        await writeFile(
          join(world.directory, 'passdb.ext'),
          `uris = ${uri}\nbase = dc=acl-groups\nauth_bind = yes\npass_filter = (uid=%u)\nuser_filter = (uid=%u)\n`,
        );
      },
    });
    for (const password of ['secret', 'x', '""']) {
      const client = await dovecot.imap();
      expect((await client.command(`LOGIN alice ${password}`)).status).toBe('NO');
    }
  });

  it('loses no login to ten kills, and none to three reloads that Dovecot would not lose itself', { timeout: 300_000 }, async () => {
    const dovecot = await start({ debug: false });
    const load = loginLoad(dovecot, USERS, 4);
    for (let kill = 0; kill < 10; kill++) {
      await load.more(6);
      for (const pid of await servicePids(dovecot)) {
        process.kill(pid, 'SIGKILL');
        await gone(pid);
      }
      await load.more(6);
    }
    const killed = await load.stop();
    expect(killed.failures).toEqual([]);
    expect(killed.done).toBeGreaterThanOrEqual(120);
    const reloading = loginLoad(dovecot, USERS, 4);
    const from = dovecot.log.lines.length;
    for (let reload = 0; reload < 3; reload++) {
      await reloading.more(8);
      await dovecot.reload();
      await reloading.more(8);
    }
    await reloading.stop();
    // A reload costs Dovecot logins of its own: auth processes end with their connections. None may be lost on account of the service.
    const lost = dovecot.log.lines.slice(from).filter((line) => /ldap.*(failed|timed out|busy)|acl-groups: (Error|Fatal)/i.test(line));
    expect(lost).toEqual([]);
  });

  it('denies one user whose provider never answers, and lets all others go on', async () => {
    const provider = `export default {
  name: 'stuck', description: '', options: {},
  create: () => ({ groups: async ({ name }) => { if (name === 'bob') for (;;); return [{ name: 'staff' }]; } }),
};\n`;
    const dovecot = await start({
      etc: { 'acl-groups.toml': 'providers = ["./stuck.mjs"]\ntimeout = "1s"\n', 'stuck.mjs': provider },
    });
    for (const user of ['alice', 'carol']) expect(await dovecot.groupsOf(user)).toEqual(['staff']);
    const stuck = await dovecot.imap();
    const denied = told(stuck.command('LOGIN bob secret'));
    // Those whose answers are kept don't notice, and the next ones find a new thread.
    for (let login = 0; login < 5; login++) for (const user of ['alice', 'carol']) expect(await dovecot.groupsOf(user)).toEqual(['staff']);
    expect(await denied).toMatch(FOR_NOW);
    for (const pid of await servicePids(dovecot)) process.kill(pid, 'SIGHUP');
    await dovecot.log.wait(/configuration read again/);
    expect(await dovecot.groupsOf('alice')).toEqual(['staff']);
  });
});
