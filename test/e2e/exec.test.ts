import { existsSync, readdirSync } from 'node:fs';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { type Dovecot, type DovecotOptions, startDovecot, VERSIONS } from '../support/dovecot.js';
import { listMailboxes, makeMailbox, publicNamespace } from '../support/public-mailboxes.js';

/** The shell example of Dovecot's documentation. */
const SHELL_EXAMPLE = `#!/bin/sh
ACL_GROUPS=\`groups $USER | tr ' '  ','\`
export ACL_GROUPS
export USERDB_KEYS="$USERDB_KEYS acl_groups"
exec "$@"
`;

const ACCOUNTS = {
  accounts: [{ name: 'alice', group: 'crew' }, { name: 'bob' }],
  groups: { crew: [], acct: ['alice'], sales: ['alice'], other: [] },
} as const;
const GROUPS = ['acct', 'crew', 'sales'];

describe.each(VERSIONS)('exec mode under Dovecot %s', (version) => {
  const command = (): string => inject('installed')[version].command;
  /** A Dovecot for one test. */
  const start = async (options: Partial<DovecotOptions>): Promise<Dovecot> => {
    const dovecot = await startDovecot({ version, ...ACCOUNTS, ...options });
    onTestFinished(() => dovecot.stop());
    return dovecot;
  };
  const groupsOf = async (dovecot: Dovecot, user = 'alice'): Promise<readonly string[]> => [...(await dovecot.groupsOf(user))].sort();
  /** All that a client receives after the greeting when it sends everything at once. */
  const talk = async (dovecot: Dovecot, ...lines: string[]): Promise<string> => {
    const client = await dovecot.imap();
    const greeting = client.received.length;
    client.write(lines.map((line) => `${line}\r\n`).join(''));
    await client.closed();
    return client.received.slice(greeting);
  };
  const denied = async (dovecot: Dovecot): Promise<string> => {
    expect(await talk(dovecot, 'a LOGIN alice secret', 'b CAPABILITY')).toBe('');
    return dovecot.log.wait(/ Error: Post-login script denied access to user alice /);
  };
  /** What the post-login service logged, without the time: waits for so many lines, which come by a way of their own. */
  const said = (dovecot: Dovecot, count = 1): Promise<readonly string[]> =>
    dovecot.log.until(() => {
      const lines = dovecot.log.lines.flatMap((line) => / (imap-postlogin: (?:Error|Warning): .*)$/.exec(line)?.[1] ?? []);
      return lines.length < count ? undefined : lines;
    }, `${count} lines of imap-postlogin`);

  it('gives a login by a master user the groups of the one as whom Dovecot checks ACLs, whatever field of the userdb names him', async () => {
    const fields = [{}, { acl_user: 'admin' }, { 'plugin/acl_user': 'admin' }, { master: 'admin' }, { acl_user: 'user4', master: 'admin' }];
    const dovecot = await start({
      virtualUsers: fields.map((given, index) => ({ name: `user${index}`, fields: given })),
      masterUsers: ['admin'],
      etc: {
        'acl-groups.toml': 'providers = ["file"]\n[provider.file]\npath = "virtual-groups"\n',
        'virtual-groups': `group-of-admin:::admin\n${fields.map((_, index) => `group-of-user${index}:::user${index}\n`).join('')}`,
      },
      postLogin: command(),
    });
    for (const index of fields.keys()) {
      const client = await dovecot.imap(`user${index}*admin`);
      await client.command('SELECT INBOX');
      await client.command('LOGOUT');
      const { groups, lines } = await dovecot.session(client);
      const [, aclUser] = lines.map((line) => /acl username = (\S+)/.exec(line)).find((found) => found !== null) ?? [];
      expect(groups).toEqual([`group-of-${aclUser}`]);
    }
  });

  describe("with the documentation's service block", () => {
    let dovecot: Dovecot;
    beforeAll(async () => {
      dovecot = await startDovecot({
        version,
        ...ACCOUNTS,
        virtualUsers: [{ name: 'vera@example.com', fields: { 'namespace/inbox/prefix': 'INBOX/', acl_groups: 'given' } }],
        postLogin: command(),
        config: (directory) => publicNamespace(version, 'public', `${directory}/public`),
      });
    });
    afterAll(() => dovecot.stop());

    it('lets one user see a mailbox by group=acct lr, and keeps another out', async () => {
      await makeMailbox(dovecot.world, join(dovecot.world.directory, 'public'), 'Accounts', 'group=acct lr\n');
      expect(await listMailboxes(dovecot, 'alice', 'Public')).toEqual(['Public/Accounts']);
      expect(await listMailboxes(dovecot, 'bob', 'Public')).toEqual([]);
    });

    it('gives Dovecot exactly the groups that id names', async () => {
      const { stdout } = await dovecot.world.run(['id', '-Gnz', 'alice']);
      expect(await groupsOf(dovecot)).toEqual(stdout.split('\0').slice(0, -1).sort());
    });

    it('gives a user whom nobody knows the groups of the userdb, and every other field as it was', async () => {
      const client = await dovecot.imap('vera@example.com');
      expect((await client.command('NAMESPACE')).untagged).toEqual(['* NAMESPACE (("INBOX/" "/")) NIL (("Public/" "/"))']);
      await client.command('LOGOUT');
      expect((await dovecot.session(client)).groups).toEqual(['given']);
    });

    it('loses none of the commands that a client sends right behind LOGIN, and adds nothing', async () => {
      const received = await talk(dovecot, 'a LOGIN alice secret', 'b NOOP', 'c STATUS INBOX (MESSAGES)', 'd LOGOUT');
      const lines = received.split('\r\n').map((line) => line.replace(/\[.*\] | \(.*secs\)\./g, ''));
      expect(lines).toEqual([
        'a OK Logged in',
        'b OK NOOP completed',
        '* STATUS INBOX (MESSAGES 0)',
        'c OK Status completed',
        '* BYE Logging out',
        'd OK Logout completed',
        '',
      ]);
    });

    it('serves POP3', async () => {
      const client = await dovecot.pop3();
      client.write('USER alice\r\nPASS secret\r\nSTAT\r\nQUIT\r\n');
      await client.closed();
      expect(client.received.split('\r\n').slice(1)).toEqual(['+OK', '+OK Logged in.', '+OK 0 0', '+OK Logging out.', '']);
      expect([...(await dovecot.session(client)).groups].sort()).toEqual(GROUPS);
    });
  });

  it("grants no group named :, where the documentation's shell example does", async () => {
    const dovecot = await start({ files: { naive: SHELL_EXAMPLE }, postLogin: (directory) => `${directory}/naive` });
    expect(await groupsOf(dovecot)).toEqual([':', 'acct', 'alice', 'crew', 'sales']);
  });

  it('works as the mail user: script-login -d', async () => {
    expect(await groupsOf(await start({ postLogin: `-d ${command()}` }))).toEqual(GROUPS);
  });

  describe.each([
    ['before', (script: string) => `${command()} ${script}`],
    ['after', (script: string) => `${script} ${command()}`],
  ])('%s another script', (_where, chain) => {
    const withScript = (script: string, options: Partial<DovecotOptions> = {}): Promise<Dovecot> =>
      start({ files: { script: `#!/bin/sh\n${script}` }, postLogin: (directory) => chain(`${directory}/script`), ...options });

    it('leaves rawlog its streams', async () => {
      const dovecot = await start({ postLogin: `-d ${chain('/usr/lib/dovecot/rawlog')}` });
      const logs = join(dovecot.world.directory, 'home/alice/dovecot.rawlog');
      await mkdir(logs, { recursive: true });
      await dovecot.world.run(['chown', '-R', 'alice:', join(dovecot.world.directory, 'home/alice')]);
      const client = await dovecot.imap('alice');
      await client.command('LOGOUT');
      // rawlog keeps what it logs until it ends, and lets go of the client after that.
      await client.closed();
      const logged = async (end: string): Promise<string> =>
        readFile(join(logs, readdirSync(logs).find((name) => name.endsWith(end)) ?? 'none'), 'utf8');
      expect(await logged('.in')).toMatch(/LOGOUT\r\n$/);
      expect(client.received.endsWith(await logged('.out'))).toBe(true);
      expect([...(await dovecot.session(client)).groups].sort()).toEqual(GROUPS);
    });

    it('leaves a mail location that it sets', async () => {
      const [name, value] = version === '2.3' ? ['mail', 'maildir:$HOME/elsewhere'] : ['mail_path', '$HOME/elsewhere'];
      const dovecot = await withScript(
        `${name.toUpperCase()}="${value}" USERDB_KEYS="$USERDB_KEYS ${name}"\nexport ${name.toUpperCase()} USERDB_KEYS\nexec "$@"\n`,
      );
      const client = await dovecot.imap('alice');
      await client.command('CREATE box');
      await client.command('LOGOUT');
      expect(existsSync(join(dovecot.world.directory, 'home/alice/elsewhere/.box'))).toBe(true);
      expect([...(await dovecot.session(client)).groups].sort()).toEqual(GROUPS);
    });

    it('leaves an alert that it prints', async () => {
      const dovecot = await withScript(`printf '* OK [ALERT] Disk full\\r\\n'\nexec "$@"\n`);
      expect(await talk(dovecot, 'a LOGIN alice secret', 'b LOGOUT')).toContain('* OK [ALERT] Disk full\r\n');
      expect(await groupsOf(dovecot)).toEqual(GROUPS);
    });

    it('leaves it to deny by address', async () => {
      const dovecot = await withScript(`[ "$IP" != 127.0.0.1 ] || exit 0\nexec "$@"\n`);
      await denied(dovecot);
      expect(await said(dovecot, 0)).toEqual([]);
    });

    it('leaves the namespace fields that it sets', async () => {
      const dovecot = await withScript(
        `export USERDB_KEYS="$USERDB_KEYS namespace/inbox/prefix"\nexec env NAMESPACE/INBOX/PREFIX=Mine/ "$@"\n`,
      );
      const client = await dovecot.imap('alice');
      expect((await client.command('NAMESPACE')).untagged).toEqual(['* NAMESPACE (("Mine/" "/")) NIL NIL']);
      await client.command('LOGOUT');
      expect([...(await dovecot.session(client)).groups].sort()).toEqual(GROUPS);
    });

    it('leaves the public namespaces that it opens by what is there', async () => {
      const shares = ['team', 'board'];
      // Shell variables can't have such names, so the script can set them by env(1) only.
      const script = `for share in "$(dirname "$0")"/shares/*; do
  [ -e "$share/.Box" ] || continue
  name=$(basename "$share")
  USERDB_KEYS="$USERDB_KEYS namespace/$name/disabled"
  set -- env "NAMESPACE/$(echo "$name" | tr a-z A-Z)/DISABLED=no" "$@"
done
export USERDB_KEYS
exec "$@"
`;
      const dovecot = await withScript(script, {
        config: (directory) =>
          shares.map((name) => publicNamespace(version, name, `${directory}/shares/${name}`, 'disabled = yes')).join(''),
      });
      await makeMailbox(dovecot.world, join(dovecot.world.directory, 'shares/team'), 'Box', 'group=acct lr\n');
      expect(await listMailboxes(dovecot, 'alice', 'Team')).toEqual(['Team/Box']);
      expect(await listMailboxes(dovecot, 'alice', 'Board')).toEqual([]);
    });
  });

  describe('when something fails', () => {
    it('denies a login whose group file it may not read', async () => {
      const dovecot = await start({ postLogin: command() });
      await chmod(join(dovecot.world.etc, 'group'), 0o600);
      await denied(dovecot);
      expect(await said(dovecot)).toEqual([
        `imap-postlogin: Error: alice: provider unix failed: EACCES: permission denied, open '/etc/group'; login denied (on_error = "deny")`,
      ]);
    });

    it('says what to set when Node.js has too little address space', async () => {
      const dovecot = await start({ postLogin: command(), config: 'service imap-postlogin {\n  vsz_limit = 128M\n}' });
      await denied(dovecot);
      expect(await said(dovecot)).toEqual([
        "imap-postlogin: Error: acl-groups: error: /usr/bin/node can't run within 128 MiB of address space; set vsz_limit = 2G in this service's block of dovecot.conf, or no limit: 0 in Dovecot 2.3, unlimited in 2.4",
      ]);
    });

    it('denies by a configuration that can not be used, and for an option that there is not', async () => {
      const dovecot = await start({ postLogin: command() });
      await writeFile(join(dovecot.world.etc, 'acl-groups.toml'), 'nonsense = 1\n');
      await denied(dovecot);
      expect(await said(dovecot)).toEqual([
        'imap-postlogin: Error: /etc/acl-groups.toml: unknown key "nonsense"; allowed are providers, on_error, on_incomplete, timeout, dovecot_version, user_format, master_user, [groups], [cache], [userdb], [provider.NAME]',
      ]);
      const other = await start({ postLogin: `${command()} -x` });
      await denied(other);
      expect(await said(other)).toEqual(['imap-postlogin: Error: unknown option "x"; try: acl-groups --help']);
    });

    it('passes on what there is by on_error = "continue", and the client sees nothing of it', async () => {
      const dovecot = await start({ postLogin: command() });
      const config = 'providers = ["unix", "file"]\non_error = "continue"\n[provider.file]\npath = "/none"\n';
      await writeFile(join(dovecot.world.etc, 'acl-groups.toml'), config);
      const received = await talk(dovecot, 'a LOGIN alice secret', 'b LOGOUT');
      expect(received.split('\r\n').map((line) => line.replace(/\[.*\] | \(.*secs\)\./g, ''))).toEqual([
        'a OK Logged in',
        '* BYE Logging out',
        'b OK Logout completed',
        '',
      ]);
      expect(await groupsOf(dovecot)).toEqual(GROUPS);
      expect((await said(dovecot))[0]).toMatch(
        /^imap-postlogin: Error: alice: provider file failed: .*\/none.*; going on without its groups \(on_error = "continue"\)$/,
      );
    });

    it('names a program that is missing', async () => {
      const dovecot = await start({ postLogin: `${command()} /none/such` });
      await denied(dovecot);
      expect(await said(dovecot)).toEqual([
        'imap-postlogin: Error: the program "/none/such" does not exist; fix the service\'s executable line, in which each program is given by its full path',
      ]);
    });

    it('denies more groups than a variable can hold, or passes on as many as fit', async () => {
      const dovecot = await start({ postLogin: command() });
      const names = Array.from({ length: 5000 }, (_, index) => `group-with-a-long-name-${String(index).padStart(6, '0')}`);
      const lines = names.map((name, index) => `${name}:x:${30_001 + index}:alice\n`);
      const group = join(dovecot.world.etc, 'group');
      await writeFile(`${group}.new`, (await readFile(group, 'utf8')) + lines.join(''));
      await rename(`${group}.new`, group);
      await denied(dovecot);
      const bytes = ['crew', 'acct', 'sales', ...names].join(',').length;
      const what = `imap-postlogin: Error: alice: ACL_GROUPS would have ${bytes} bytes, and a variable can have 131060; `;
      const fix = '; the service has no such limit, and [groups] include leaves groups out';
      expect(await said(dovecot)).toEqual([`${what}login denied (on_error = "deny")${fix}`]);
      await writeFile(join(dovecot.world.etc, 'acl-groups.toml'), 'on_error = "continue"\n');
      const granted = await dovecot.groupsOf('alice');
      expect((await said(dovecot, 2))[1]).toBe(`${what}going on with ${granted.length} of 5003 groups (on_error = "continue")${fix}`);
      expect(new Set(granted)).toEqual(new Set(['crew', 'acct', 'sales', ...names].slice(0, granted.length)));
    });
  });
});
