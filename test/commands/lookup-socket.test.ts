import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { runCommand, testDirectory } from '../support/command.js';

const directory = testDirectory();
let sockets = 0;

/** A service that answers each request line by what `answer` says; `undefined` closes without a reply. */
async function service(answer: (request: string) => string | undefined): Promise<string> {
  const path = join(directory.path, `socket${sockets++}`);
  const server = createServer((socket) => {
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      const [version, request, rest] = received.split('\n');
      if (rest === undefined) return;
      expect(version).toBe('VERSION\tscript-login\t1\t0');
      socket.end(answer(request ?? '') ?? '', 'latin1');
    });
  });
  await new Promise<void>((listening) => server.listen(path, listening));
  onTestFinished(() => void server.close());
  return path;
}

const untimed = (text: string): string => text.replace(/\([\d.]+ ms\)/g, '(N ms)').replace(/"elapsed_ms":[\d.]+/g, '"elapsed_ms":0');

describe('lookup --socket', () => {
  it('asks as a mail process would, and shows the answer', async () => {
    const asked: string[] = [];
    const path = await service((request) => {
      asked.push(request);
      return 'alice\tuid=7\tacl_groups=staff,\xc3\xa4\u0001tb\n';
    });
    const { status, stdout } = await runCommand('lookup', '-s', path, 'alice', 'b\u00e4r');
    expect(untimed(stdout)).toBe('alice: acl_groups=staff,\u00e4\\u{9}b (N ms)\nb\u00e4r: acl_groups=staff,\u00e4\\u{9}b (N ms)\n');
    expect(asked).toEqual(['\t\talice', '\t\tb\xc3\xa4r']);
    expect(status).toBe(0);
    const json = await runCommand('lookup', '-j', '-s', path, 'alice');
    expect(untimed(json.stdout)).toBe(
      `${JSON.stringify({ user: 'alice', socket: path, outcome: 'granted', acl_groups: 'staff,\u00e4\tb', elapsed_ms: 0 })}\n`,
    );
  });

  it('is 75 where one of several is denied', async () => {
    const path = await service((request) => (request.endsWith('bob') ? undefined : 'alice\tacl_groups=\n'));
    const { status, stdout } = await runCommand('lookup', '-s', path, 'alice', 'bob', 'carol');
    expect(untimed(stdout)).toBe("alice: acl_groups= (N ms)\nbob: denied; the service's log says why (N ms)\ncarol: acl_groups= (N ms)\n");
    expect(status).toBe(75);
    const json = await runCommand('lookup', '-j', '-s', path, 'bob');
    expect(JSON.parse(json.stdout)).toMatchObject({ outcome: 'denied', acl_groups: null });
  });

  it('says when somebody else answers', async () => {
    const path = await service(() => 'alice\tuid=7\n');
    const { stdout } = await runCommand('lookup', '-s', path, 'alice');
    expect(untimed(stdout)).toBe('alice: granted without acl_groups: this is no service of acl-groups (N ms)\n');
  });

  it('is 69 without a service, and for one that breaks off', async () => {
    const none = join(directory.path, 'none');
    await expect(runCommand('lookup', '-s', none, 'alice')).rejects.toMatchObject({
      exitStatus: 69,
      message: expect.stringContaining(`${none}: the service can't be asked: connect ENOENT`),
    });
    const path = await service(() => 'alice\tacl_gro');
    await expect(runCommand('lookup', '-s', path, 'alice')).rejects.toMatchObject({
      exitStatus: 69,
      message: `${path}: the reply breaks off`,
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
