import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { askPostLogin } from '../../src/service/post-login-client.js';
import { askUserdb } from '../../src/service/userdb-client.js';
import { createDaemons } from '../support/daemon.js';
import { startDovecot, VERSIONS } from '../support/dovecot.js';
import { loginLoad } from '../support/logins.js';
import { serveBlock, servicePid } from '../support/serve.js';
import { openWorld, type World } from '../support/world.js';

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

const OPEN_FILES = 64;
const WARNING = new RegExp(
  `^acl-groups: warning: \\d+ connections, as many as a limit of ${OPEN_FILES} open files leaves room for: the next ones wait for a place; raise the limit: LimitNOFILE= in the systemd unit of whoever starts the service, acl-groups or Dovecot$`,
);

it.each(VERSIONS)('loses no login under Dovecot %s with 40 open files', async (version) => {
  const dovecot = await startDovecot({
    version,
    accounts: [{ name: 'alice' }, { name: 'bob' }],
    groups: { acct: ['alice'] },
    postLoginSocket: 'acl-groups',
    config: serveBlock(version, `/usr/bin/prlimit --nofile=40 ${inject('installed')[version].command}`),
  });
  onTestFinished(() => dovecot.stop());
  await servicePid(dovecot);
  const load = loginLoad(dovecot, ['alice', 'bob'], 30);
  await load.more(150);
  expect((await load.stop()).failures).toEqual([]);
  expect(dovecot.log.lines.filter((line) => /acl-groups: (Warning|Error)/.test(line)).length).toBeLessThanOrEqual(1);
  expect(await dovecot.groupsOf('alice')).toContain('acct');
});

describe.each([
  ['a socket of its own', () => [command, 'serve', '--listen', socket]],
  ["systemd's socket", () => ['systemd-socket-activate', '--listen', socket, command, 'serve']],
])('serve on %s with 64 open files', (_, argv) => {
  it('answers 400 logins at once by both doors, some later, and says so once', async () => {
    const { child, said, ended, log } = daemons.start(['prlimit', `--nofile=${OPEN_FILES}`, ...argv()]);
    await said(argv()[0] === command ? 'serves logins' : `Listening on ${socket}`);
    for (let round = 0; round < 2; round++) {
      const asked = Array.from({ length: 100 }, () => [askPostLogin(socket, 'alice'), askUserdb(socket, 'alice')]).flat();
      const answers = await Promise.all(asked);
      expect(answers.filter(({ outcome, value }) => outcome !== 'granted' || value !== 'alice,acct')).toEqual([]);
    }
    child.kill('SIGTERM');
    expect(await ended()).toBe(0);
    const lines = log().split('\n');
    expect(lines.filter((line) => /^acl-groups: (warning|error)/.test(line))).toEqual([expect.stringMatching(WARNING)]);
    expect(log()).toMatch(/ logins 400, denied 0, .* refused connections 0, /);
  });

  it('closes connections that rest, one after the other, so that they keep nobody out', async () => {
    const { said } = daemons.start(['prlimit', `--nofile=${OPEN_FILES}`, ...argv()]);
    await said(argv()[0] === command ? 'serves logins' : `Listening on ${socket}`);
    const resting = Array.from({ length: OPEN_FILES }, () => connect(socket));
    // An anonymous bind, as Dovecot's auth process does at its start; those behind the limit wait for the answer.
    for (const client of resting) client.write(Buffer.from('300c020101600702010304008000', 'hex'));
    await said('open files');
    const closed = resting.map(
      (client) =>
        new Promise((resolve) =>
          client
            .on('close', () => resolve(client.bytesRead))
            .on('error', () => {})
            .resume(),
        ),
    );
    expect(await askUserdb(socket, 'alice')).toMatchObject({ outcome: 'granted', value: 'alice,acct' });
    // Each was served before it was closed.
    expect(await Promise.race(closed)).toBe(14);
    for (const client of resting) client.destroy();
  });
});
