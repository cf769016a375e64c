import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { type Dovecot, type DovecotOptions, startDovecot, VERSIONS } from '../support/dovecot.js';
import { listMailboxes, makeMailbox, publicNamespace } from '../support/public-mailboxes.js';
import { serveBlock, servicePid } from '../support/serve.js';

describe.each(VERSIONS)('serve mode under Dovecot %s', (version) => {
  let dovecot: Dovecot;
  beforeAll(async () => {
    dovecot = await startDovecot({
      version,
      accounts: [{ name: 'alice', group: 'crew' }, { name: 'bob' }],
      groups: { crew: [], acct: ['alice'], 'Domain Users': ['alice'], 'per%ucent\\s"quoted': ['alice'], other: [] },
      virtualUsers: [
        { name: 'carol@example.com', fields: { acl_groups: 'given' } },
        { name: 'dora@example.com', fields: { system_groups_user: 'alice', acl_groups: 'given' } },
      ],
      postLoginSocket: 'acl-groups',
      config: (directory) =>
        serveBlock(version, inject('installed')[version].command) + publicNamespace(version, 'public', `${directory}/public`),
    });
    await makeMailbox(dovecot.world, join(dovecot.world.directory, 'public'), 'Accounts', 'group=acct lr\n');
  });
  afterAll(() => dovecot.stop());

  it('gives Dovecot exactly the groups that id names', async () => {
    const { stdout } = await dovecot.world.run(['id', '-Gnz', 'alice']);
    expect([...(await dovecot.groupsOf('alice'))].sort()).toEqual(stdout.split('\0').slice(0, -1).sort());
  });

  it('adds to the groups that the userdb gave, of the account that it named', async () => {
    expect(await dovecot.groupsOf('carol@example.com')).toEqual(['given']);
    expect([...(await dovecot.groupsOf('dora@example.com'))].sort()).toEqual(
      ['Domain Users', 'acct', 'crew', 'given', 'per%ucent\\s"quoted'].sort(),
    );
  });

  it('lets one user see a mailbox and keeps the other out', async () => {
    expect(await listMailboxes(dovecot, 'alice', 'Public')).toEqual(['Public/Accounts']);
    expect(await listMailboxes(dovecot, 'bob', 'Public')).toEqual([]);
  });

  it('loses nothing of a client that pipelines behind LOGIN, and sends it nothing of its own', async () => {
    const client = await dovecot.imap();
    client.write('a1 LOGIN alice secret\r\na2 NOOP\r\na3 LIST "" INBOX\r\na4 LOGOUT\r\n');
    for (const tag of ['a1', 'a2', 'a3', 'a4']) expect((await client.reply(tag)).status).toBe('OK');
    await client.closed();
    for (const line of client.received.split('\r\n').filter((text) => text !== '')) expect(line).toMatch(/^(\* |a[1-4] OK )/);
  });

  it('serves POP3, too', async () => {
    const client = await dovecot.pop3();
    for (const command of ['USER alice', 'PASS secret', 'STAT']) {
      client.write(`${command}\r\n`);
      expect(await client.line()).toMatch(/^\+OK/);
    }
    client.destroy();
    expect((await dovecot.session(client)).groups).toContain('acct');
  });

  it('resolves a user once, however many connections he opens', async () => {
    const pid = await servicePid(dovecot);
    process.kill(pid, 'SIGHUP');
    await dovecot.log.wait(/configuration read again/);
    const lookups = async (): Promise<number> => {
      const from = dovecot.log.lines.length;
      process.kill(pid, 'SIGUSR1');
      return Number(/ lookups (\d+),/.exec(await dovecot.log.wait(/ acl-groups: Info: version /, from))?.[1]);
    };
    const before = await lookups();
    await Promise.all(Array.from({ length: 20 }, () => dovecot.groupsOf('bob')));
    expect((await lookups()) - before).toBe(1);
  });

  it('runs as the user of its service block, and keeps no descriptor of the clients', async () => {
    const pid = await servicePid(dovecot);
    const { stdout } = await dovecot.world.run(['ls', '-l', `/proc/${pid}/fd`]);
    const sockets = (text: string): number => text.split('\n').filter((line) => line.includes('socket:')).length;
    const before = sockets(stdout);
    for (let login = 0; login < 20; login++) await dovecot.groupsOf('alice');
    const after = await dovecot.world.run(['ls', '-l', `/proc/${pid}/fd`]);
    expect(sockets(after.stdout)).toBeLessThanOrEqual(before);
    const status = await dovecot.world.run(['cat', `/proc/${pid}/status`]);
    const { stdout: uid } = await dovecot.world.run(['id', '-u', 'dovecot']);
    expect(status.stdout).toMatch(new RegExp(`^Uid:\\t${uid.trim()}\\t`, 'm'));
  });

  it('shows by lookup --socket what it answers', async () => {
    const socket = join(dovecot.world.directory, 'run/acl-groups');
    const { command } = inject('installed')[version];
    const { stdout, status } = await dovecot.world.run([command, 'lookup', '--json', '--socket', socket, 'bob', 'nobody-there']);
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      {
        user: 'bob',
        socket,
        agree: true,
        doors: ['userdb', 'post-login'].map((door) => ({ door, outcome: 'granted', acl_groups: 'bob', elapsed_ms: expect.any(Number) })),
      },
      {
        user: 'nobody-there',
        socket,
        agree: true,
        doors: ['userdb', 'post-login'].map((door) => ({
          door,
          outcome: 'unknown-user',
          acl_groups: null,
          elapsed_ms: expect.any(Number),
        })),
      },
    ]);
    expect(status).toBe(67);
    const human = await dovecot.world.run([command, 'lookup', '-s', socket, 'bob']);
    expect(human.stdout).toMatch(/^bob: acl_groups=bob \(userdb [\d.]+ ms, post-login [\d.]+ ms\)\n$/);
  });

  describe('when something fails', () => {
    /** A Dovecot for one test, with a service that has answered nobody yet. */
    const start = async (options: Partial<DovecotOptions> = {}): Promise<Dovecot> => {
      const own = await startDovecot({
        version,
        accounts: [{ name: 'alice', group: 'crew' }],
        groups: { crew: [], acct: ['alice'] },
        postLoginSocket: 'acl-groups',
        config: serveBlock(version, inject('installed')[version].command),
        ...options,
      });
      onTestFinished(() => own.stop());
      await servicePid(own);
      return own;
    };

    it('denies a login whose group file it may not read, and knows better when it may', async () => {
      const own = await start();
      const group = join(own.world.etc, 'group');
      await chmod(group, 0o600);
      const client = await own.imap();
      const greeting = client.received.length;
      client.write('a LOGIN alice secret\r\nb CAPABILITY\r\n');
      await client.closed();
      expect(client.received.slice(greeting)).toBe('');
      expect(await own.log.wait(/ acl-groups: Error: /)).toMatch(
        / acl-groups: Error: alice: provider unix failed: EACCES: permission denied, open '\/etc\/group'; login denied \(on_error = "deny"\)$/,
      );
      await chmod(group, 0o644);
      expect([...(await own.groupsOf('alice'))].sort()).toEqual(['acct', 'crew']);
    });

    it('passes on what there is by on_error = "continue"', async () => {
      const config = 'providers = ["unix", "file"]\non_error = "continue"\n[provider.file]\npath = "/none"\n';
      const own = await start({ etc: { 'acl-groups.toml': config } });
      expect([...(await own.groupsOf('alice'))].sort()).toEqual(['acct', 'crew']);
      expect(await own.log.wait(/ acl-groups: Error: /)).toMatch(
        /Error: alice: provider file failed: .*\/none.*; going on without its groups \(on_error = "continue"\)$/,
      );
    });

    it('gives more groups than a variable could hold', async () => {
      const names = Array.from({ length: 5000 }, (_, index) => `group-with-a-long-name-${String(index).padStart(6, '0')}`);
      const own = await start({
        etc: {
          'acl-groups.toml': 'providers = ["file"]\n[provider.file]\npath = "groups"\n',
          groups: names.map((name) => `${name}:x::alice\n`).join(''),
        },
      });
      expect(names.join(',').length).toBeGreaterThan(1 << 17);
      expect([...(await own.groupsOf('alice'))].sort()).toEqual(names);
    });
  });
});
