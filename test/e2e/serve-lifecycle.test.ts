import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { type Dovecot, startDovecot, VERSIONS } from '../support/dovecot.js';
import { loginLoad } from '../support/logins.js';
import { gone, serveBlock, servicePid, servicePids } from '../support/serve.js';

const USERS = ['alice', 'bob', 'carol', 'dave'];
const CLIENTS = 4;

describe.each(VERSIONS)('the life of the service under Dovecot %s', (version) => {
  let dovecot: Dovecot;

  beforeEach(async () => {
    dovecot = await startDovecot({
      version,
      accounts: USERS.map((name) => ({ name, group: 'crew' })),
      groups: { crew: [], acct: ['alice'] },
      etc: { 'acl-groups.toml': 'providers = ["unix"]\n' },
      postLoginSocket: 'acl-groups',
      config: serveBlock(version, inject('installed')[version].command),
    });
  });
  afterEach(() => dovecot.stop());

  it('loses no login to three reloads, and leaves one process', async () => {
    const pids = [await servicePid(dovecot)];
    const load = loginLoad(dovecot, USERS, CLIENTS);
    for (let reload = 0; reload < 3; reload++) {
      await load.more(10);
      const from = dovecot.log.lines.length;
      const old = pids.at(-1) ?? 0;
      await dovecot.reload();
      // Within two seconds, says the contract; the logins go to the new process meanwhile.
      await gone(old);
      await dovecot.log.wait(/ acl-groups: Info: acl-groups \S+ serves logins/, from);
      pids.push(...(await servicePids(dovecot)));
    }
    await load.more(10);
    const { done } = await load.stop();
    expect(done).toBeGreaterThanOrEqual(40);
    // A reload costs Dovecot logins of its own: it removes its sockets and makes them anew. None may be lost by the service.
    const lost = dovecot.log.lines.filter(
      (line) =>
        /post-login|acl-groups\) failed/i.test(line) && !line.includes('acl-groups: Info: ') && !line.includes('No such file or directory'),
    );
    expect(lost).toEqual([]);
    expect(new Set(pids).size).toBe(4);
    expect(pids).toHaveLength(4);
    expect(dovecot.log.lines.filter((line) => /Processes aren't dying|killed with signal|acl-groups: (Error|Warning)/.test(line))).toEqual(
      [],
    );
  });

  it('finishes a login in hand after a reload, by the old process', async () => {
    const pid = await servicePid(dovecot);
    const socket = connect(join(dovecot.world.directory, 'run/acl-groups'));
    await once(socket, 'connect');
    socket.write('VERSION\tscript-login\t1\t0\n127.0.0.1\t127.0.0.1\tali');
    await dovecot.reload();
    socket.write('ce\tuid=1\n');
    const [reply] = (await once(socket, 'data')) as [Buffer];
    expect(reply.toString()).toBe('alice\tuid=1\tacl_groups=crew,acct\n');
    await gone(pid);
  });

  it('costs at most the logins in hand when it is killed, and is started again', async () => {
    const load = loginLoad(dovecot, USERS, CLIENTS);
    for (let kill = 0; kill < 3; kill++) {
      await load.more(10);
      for (const pid of await servicePids(dovecot)) process.kill(pid, 'SIGKILL');
      await load.more(10);
    }
    const { failures } = await load.stop();
    expect(failures.length).toBeLessThanOrEqual(3 * CLIENTS);
    expect(await dovecot.groupsOf('alice')).toEqual(expect.arrayContaining(['crew', 'acct']));
    expect(await servicePids(dovecot)).toHaveLength(1);
  });

  it('says what to set where vsz_limit is too low for it', async () => {
    const limited = await startDovecot({
      version,
      accounts: [{ name: 'alice' }],
      postLoginSocket: 'acl-groups',
      config: serveBlock(version, inject('installed')[version].command).replace(/vsz_limit = .*/, 'vsz_limit = 256M'),
    });
    // 2.3 loses what a service says that ends before the log process runs; the first login starts it again.
    await limited.log.wait(/service\(acl-groups\): command startup failed/);
    const client = await limited.imap();
    client.write('a1 LOGIN alice secret\r\n');
    expect(await limited.log.wait(/ acl-groups: Error: .*address space/)).toMatch(
      /the service can't run within 256 MiB of address space; in its block of dovecot\.conf set no limit: vsz_limit = 0 in Dovecot 2\.3, unlimited in 2\.4$/,
    );
    await limited.stop();
  });

  it('ends when the master is killed', async () => {
    const pid = await servicePid(dovecot);
    const client = await dovecot.imap('alice');
    process.kill(dovecot.pid, 'SIGKILL');
    await gone(pid);
    client.destroy();
  });

  it('ends with the master, without being killed', async () => {
    const pid = await servicePid(dovecot);
    const load = loginLoad(dovecot, USERS, CLIENTS);
    await load.more(10);
    process.kill(dovecot.pid, 'SIGTERM');
    await gone(pid);
    await load.stop();
    expect(dovecot.log.lines.filter((line) => /killed with signal|service\(acl-groups\)/.test(line))).toEqual([]);
  });

  it('denies, and says why, while the configuration is broken', async () => {
    await servicePid(dovecot);
    const config = join(dovecot.world.etc, 'acl-groups.toml');
    await writeFile(config, 'providers = ["unix"]\non_eror = "deny"\n');
    let from = dovecot.log.lines.length;
    await dovecot.reload();
    const problem = /\/etc\/acl-groups\.toml: unknown key "on_eror"/;
    expect(await dovecot.log.wait(problem, from)).toMatch(/ acl-groups: Error: .*; every login is denied until this is fixed/);
    const client = await dovecot.imap();
    client.write('a1 LOGIN alice secret\r\n');
    await client.closed();
    expect(client.received).not.toContain('a1 OK');
    expect(await dovecot.log.wait(/login denied/, from)).toMatch(/ acl-groups: Error: alice: .*unknown key "on_eror".*; login denied$/);
    await dovecot.log.wait(/Post-login script denied access to user alice/, from);
    await writeFile(config, 'providers = ["unix"]\n');
    from = dovecot.log.lines.length;
    await dovecot.reload();
    await dovecot.log.wait(/ acl-groups: Info: acl-groups \S+ serves logins/, from);
    expect([...(await dovecot.groupsOf('alice'))].sort()).toEqual(['acct', 'crew']);
  });

  it('forgets on SIGHUP and on reload, and counts for SIGUSR1', async () => {
    const pid = await servicePid(dovecot);
    const group = join(dovecot.world.etc, 'group');
    const counters = async (): Promise<string> => {
      const from = dovecot.log.lines.length;
      process.kill(pid, 'SIGUSR1');
      return dovecot.log.wait(/ acl-groups: Info: version /, from);
    };
    await dovecot.groupsOf('alice');
    await writeFile(group, 'new:x:30000:alice\n', { flag: 'a' });
    expect(await dovecot.groupsOf('alice')).not.toContain('new');
    expect(await counters()).toMatch(/logins 2, denied 0, .*cache hits 1, .*lookups 1, .*provider errors 0/);
    const from = dovecot.log.lines.length;
    process.kill(pid, 'SIGHUP');
    await dovecot.log.wait(/configuration read again, cache emptied/, from);
    expect(await dovecot.groupsOf('alice')).toContain('new');
    expect(await counters()).toMatch(/logins 3, denied 0, .*cache hits 1, .*lookups 2, /);
    expect(await servicePids(dovecot)).toEqual([pid]);
  });

  it('answers beside a thousand clients that say nothing', async () => {
    await servicePid(dovecot);
    const idle = await Promise.all(
      Array.from({ length: 1000 }, async () => {
        const socket = connect(join(dovecot.world.directory, 'run/acl-groups'));
        await once(socket, 'connect');
        return socket.on('error', () => {});
      }),
    );
    const load = loginLoad(dovecot, USERS, CLIENTS);
    await load.more(20);
    expect((await load.stop()).failures).toEqual([]);
    for (const socket of idle) socket.destroy();
  });
});
