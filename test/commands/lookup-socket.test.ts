import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Outcome } from '../../src/doors/door.js';
import type { LoginFacts } from '../../src/login/request.js';
import { createCounters } from '../../src/service/counters.js';
import { createService } from '../../src/service/service.js';
import { createLogger } from '../../src/support/log.js';
import { bytesOf } from '../../src/support/text.js';
import { runCommand, testDirectory } from '../support/command.js';

const directory = testDirectory();
let sockets = 0;

/** The service, with answers of the test's; returns its path. */
async function service(answer: (facts: LoginFacts, narrow: boolean) => Outcome): Promise<string> {
  const path = join(directory.path, `socket${sockets++}`);
  const running = createService(
    createLogger(() => {}),
    createCounters(),
    () => {},
  );
  running.use({
    answer,
    forget: () => {},
    status: () => ({ configuration: 'test', providers: [], cachedUsers: 0, cacheBytes: 0, lookupsRunning: 0, lookupsWaiting: 0 }),
    close: async () => {},
  });
  const server = running.createServer().listen(path);
  await once(server, 'listening');
  onTestFinished(() => running.drain(0));
  return path;
}

const granted = (value: string): Outcome => ({ verdict: 'grant', text: bytesOf(value) });
const untimed = (text: string): string => text.replace(/[\d.]+ ms/g, 'N ms').replace(/"elapsed_ms":[\d.]+/g, '"elapsed_ms":0');
const both = (answer: object): object[] => ['userdb', 'post-login'].map((door) => ({ door, ...answer, elapsed_ms: 0 }));

describe('lookup --socket', () => {
  it('asks by both protocols, and shows the answer', async () => {
    const asked: string[] = [];
    const path = await service(({ name }) => {
      asked.push(name);
      return granted('staff,\u00e4\tb');
    });
    const { status, stdout } = await runCommand('lookup', '-s', path, 'alice', 'b\u00e4r');
    const line = 'acl_groups=staff,\u00e4\\u{9}b (userdb N ms, post-login N ms)\n';
    expect(untimed(stdout)).toBe(`alice: ${line}b\u00e4r: ${line}`);
    expect(asked).toEqual(['alice', 'alice', 'b\u00e4r', 'b\u00e4r']);
    expect(status).toBe(0);
    const json = await runCommand('lookup', '-j', '-s', path, 'alice');
    expect(JSON.parse(untimed(json.stdout))).toEqual({
      user: 'alice',
      socket: path,
      agree: true,
      doors: both({ outcome: 'granted', acl_groups: 'staff,\u00e4\tb' }),
    });
  });

  it('is 67 for a user whom no provider knows, and 75 where one of several is denied', async () => {
    const path = await service(({ name }) =>
      name === 'bob' ? { verdict: 'deny', text: 'provider unix failed' } : name === 'eve' ? { verdict: 'unknown', text: '' } : granted(''),
    );
    const unknown = await runCommand('lookup', '-s', path, 'alice', 'eve');
    expect(untimed(unknown.stdout)).toBe(
      'alice: acl_groups= (userdb N ms, post-login N ms)\n' +
        'eve: no provider knows this user; the login goes on with nothing added (userdb N ms, post-login N ms)\n',
    );
    expect(unknown.status).toBe(67);
    const denied = await runCommand('lookup', '-s', path, 'bob', 'eve');
    expect(untimed(denied.stdout)).toMatch(/^bob: denied: provider unix failed \(userdb N ms, post-login N ms\)\n/);
    expect(denied.status).toBe(75);
  });

  it('says where the doors differ: a value too long for one of them', async () => {
    const path = await service((_, narrow) => (narrow ? { verdict: 'deny', text: '9 groups need 9000 bytes' } : granted('a,b')));
    const { status, stdout } = await runCommand('lookup', '-s', path, 'alice');
    expect(untimed(stdout)).toBe(
      'alice: the doors differ\n  userdb: denied: 9 groups need 9000 bytes (N ms)\n  post-login: acl_groups=a,b (N ms)\n',
    );
    expect(status).toBe(75);
  });

  it('is 69 without a service, and for one that is no service of acl-groups', async () => {
    const none = join(directory.path, 'none');
    await expect(runCommand('lookup', '-s', none, 'alice')).rejects.toMatchObject({
      exitStatus: 69,
      message: expect.stringContaining(`${none}: the service can't be asked: connect ENOENT`),
    });
    const other = join(directory.path, 'other');
    const server = createServer((socket) => socket.end('220 hello\r\n')).listen(other);
    onTestFinished(() => void server.close());
    await expect(runCommand('lookup', '-s', other, 'alice')).rejects.toMatchObject({
      exitStatus: 69,
      message: expect.stringContaining(`${other}: the service can't be asked: `),
    });
  });

  it("takes no options that are the service's own", async () => {
    for (const option of ['-p', '-c', '-D']) {
      await expect(runCommand('lookup', '-s', '/none', option, option === '-D' ? '2.4' : 'x', 'alice')).rejects.toMatchObject({
        exitStatus: 64,
      });
    }
  });
});
