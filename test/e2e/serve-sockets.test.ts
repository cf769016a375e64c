import { lstat, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { createDaemons, type Daemon } from '../support/daemon.js';
import { openWorld, WORLD_PATH, type World } from '../support/world.js';

let world: World;
let command: string;
let socket: string;
const daemons = createDaemons(() => world);

beforeAll(async () => {
  ({ command } = inject('installed')['2.3']);
  world = await openWorld({ version: '2.3', accounts: [{ name: 'alice' }], groups: { acct: ['alice'] } });
  await mkdir(join(world.directory, 'run'));
  socket = join(world.directory, 'run/s');
});
afterEach(() => daemons.kill());
afterAll(() => world.close());

const serve = (...words: string[]): Daemon => daemons.start([command, 'serve', '--listen', socket, ...words]);
const ask = async (): Promise<string> => (await world.run([command, 'lookup', '-s', socket, 'alice'])).stdout.replace(/ \(.*/s, '');

describe('serve --listen', () => {
  it('makes the socket with the mode asked for, and removes it at the end', async () => {
    const { child, said, ended } = serve('--mode', '660');
    await said('serves logins');
    expect((await lstat(socket)).mode & 0o777).toBe(0o660);
    expect(await ask()).toBe('alice: acl_groups=alice,acct');
    child.kill('SIGTERM');
    expect(await ended()).toBe(0);
    expect(await readdir(join(world.directory, 'run'))).toEqual([]);
  });

  it('ends on Ctrl-C', async () => {
    const { child, said, ended } = serve();
    await said('serves logins');
    child.kill('SIGINT');
    expect(await ended()).toBe(0);
  });

  it('replaces the socket of a killed process, and refuses that of a live one', async () => {
    const killed = serve();
    await killed.said('serves logins');
    killed.child.kill('SIGKILL');
    await killed.ended();
    expect((await lstat(socket)).isSocket()).toBe(true);
    const second = serve();
    await second.said('serves logins');
    const third = serve();
    expect(await third.ended()).toBe(69);
    expect(third.log()).toBe(`acl-groups: error: ${socket}: another process listens there\n`);
    expect(await ask()).toBe('alice: acl_groups=alice,acct');
  });

  it('has one winner among many that start at once', async () => {
    const all = Array.from({ length: 4 }, () => serve());
    const statuses = await Promise.all(
      all.map(({ said, ended }) => Promise.race([said('serves logins').then(() => 'serves'), ended()]).catch(ended)),
    );
    expect(statuses.sort()).toEqual([69, 69, 69, 'serves']);
    expect(await ask()).toBe('alice: acl_groups=alice,acct');
  });

  it.each([
    ['a broken configuration', ['--config', 'broken.toml'], 78, /broken\.toml: unknown key "x"/],
    ['an operand', ['alice'], 64, /serve takes no operand, found "alice"/],
    ['a mode that is none', ['--mode', '0x1'], 64, /--mode: expected three octal digits such as 600, found "0x1"/],
  ])('ends at once with %s', async (_, words, status, message) => {
    await writeFile(join(world.directory, 'broken.toml'), 'x = 1\n', { mode: 0o600 });
    const { ended, log } = serve(...words.map((word) => word.replace('broken.toml', join(world.directory, 'broken.toml'))));
    expect(await ended()).toBe(status);
    expect(log()).toMatch(message);
  });

  it('says how to get a socket where there is none', async () => {
    const { ended, log } = daemons.start([command, 'serve']);
    expect(await ended()).toBe(64);
    expect(log()).toBe(
      "acl-groups: error: serve needs a socket: run it as a service of Dovecot, by systemd's socket activation, or with --listen path\n",
    );
  });
});

describe('serve under systemd', () => {
  it('takes the socket that it is handed, and leaves it when it ends', async () => {
    const { child, said, ended } = daemons.start(['systemd-socket-activate', '--listen', socket, command, 'serve']);
    await said(`Listening on ${socket}`);
    // The first connection starts the service, and is answered by it.
    expect(await ask()).toBe('alice: acl_groups=alice,acct');
    await said('serves logins');
    child.kill('SIGHUP');
    await said('configuration read again, cache emptied');
    expect(await ask()).toBe('alice: acl_groups=alice,acct');
    child.kill('SIGTERM');
    expect(await ended()).toBe(0);
    expect((await lstat(socket)).isSocket()).toBe(true);
  });

  it('denies with a broken configuration: who keeps the socket would let logins wait in it', async () => {
    const config = join(world.directory, 'broken.toml');
    await writeFile(config, 'x = 1\n', { mode: 0o600 });
    const { said } = daemons.start(['systemd-socket-activate', '--listen', socket, command, 'serve', '-c', config]);
    await said(`Listening on ${socket}`);
    expect((await world.run([command, 'lookup', '-s', socket, 'alice'])).stdout).toMatch(/^alice: denied: alice: /);
    await said(`alice: ${config}: unknown key "x"`);
    await writeFile(config, '');
  });

  it.each([
    ['for one client (Accept=yes)', '--accept', () => connect(socket).on('error', () => {})],
    ['for datagrams', '--datagram', () => world.run(['systemd-notify', '--ready'], { env: { NOTIFY_SOCKET: socket, PATH: WORLD_PATH } })],
  ])('says what a unit needs that hands over a socket %s', async (_, word, knock) => {
    const { said, log } = daemons.start(['systemd-socket-activate', word, '--listen', socket, command, 'serve']);
    await said(`Listening on ${socket}`);
    knock();
    await said('unix_listener\n');
    expect(
      log()
        .split('\n')
        .filter((line) => line.startsWith('acl-groups')),
    ).toEqual([
      "acl-groups: error: the socket handed over can't be listened on (listen EINVAL: invalid argument); a unit of type socket needs ListenStream= and Accept=no, a service of Dovecot a unix_listener",
    ]);
  });

  it('has units that systemd takes without a word', async () => {
    const directory = join(world.directory, 'units');
    await mkdir(directory);
    const shipped = join(inject('installed')['2.3'].directory, 'dist/systemd');
    for (const name of await readdir(shipped)) {
      const text = await readFile(join(shipped, name), 'utf8');
      // It has to exist, and this machine's own has no acl-groups.
      await writeFile(join(directory, name), text.replace('ExecStart=acl-groups', `ExecStart=${command}`));
    }
    expect(await readdir(directory)).toEqual(['acl-groups.service', 'acl-groups.socket']);
    const { stdout, stderr, status } = await world.run(
      ['systemd-analyze', 'verify', '--man=no', join(directory, 'acl-groups.service'), join(directory, 'acl-groups.socket')],
      { env: { SYSTEMD_UNIT_PATH: `${directory}:` } },
    );
    expect({ stdout, stderr, status }).toEqual({ stdout: '', stderr: '', status: 0 });
  });
});
