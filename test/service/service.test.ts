import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VERSION_LINE } from '../../src/doors/post-login/protocol.js';
import type { LoginFacts } from '../../src/login/request.js';
import { type Counters, createCounters } from '../../src/service/counters.js';
import { createService, type Service } from '../../src/service/service.js';
import { createLogger } from '../../src/support/log.js';

let directory: string;
let path: string;
let service: Service;
let counters: Counters;
let lines: string[];
let activity: number[];
/** Whom the answerer holds back until told otherwise. */
let held: Map<string, () => void>;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'serve-'));
  path = join(directory, 's');
  counters = createCounters();
  lines = [];
  activity = [];
  held = new Map();
  const log = createLogger((level, message) => lines.push(`${level}: ${message}`));
  service = createService(log, counters, (active) => activity.push(active));
  service.use({
    async answer({ name }: LoginFacts) {
      if (name.startsWith('held')) await new Promise<void>((resolve) => held.set(name, resolve));
      if (name === 'bug') throw new Error('bug: something broke');
      return name === 'denied' ? { verdict: 'deny', text: 'no' } : { verdict: 'grant', text: `group of ${name}` };
    },
    forget: () => {},
    status: () => ({ configuration: 'test', providers: [], cachedUsers: 0, cacheBytes: 0, lookupsRunning: 0, lookupsWaiting: 0 }),
    close: async () => {},
  });
  const server = service.createServer();
  server.listen({ path, backlog: 2048 });
  await once(server, 'listening');
});

afterEach(async () => {
  for (const release of held.values()) release();
  await service.drain(0);
  await rm(directory, { recursive: true });
});

const request = (user: string, fields = 'uid=1'): string => `${VERSION_LINE}127.0.0.1\t127.0.0.1\t${user}\t${fields}\n`;
const reply = (user: string, fields = 'uid=1'): string => `${user}\t${fields}\tacl_groups=group of ${user}\n`;

async function open(): Promise<Socket> {
  const socket = connect({ path, allowHalfOpen: true });
  await once(socket, 'connect');
  socket.on('error', () => {});
  return socket;
}

/** Everything up to the server's end of the connection, or up to so many bytes. */
function read(socket: Socket, bytes = Number.POSITIVE_INFINITY): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const done = (): void => {
      socket.removeAllListeners('data');
      resolve(text);
    };
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (text.length >= bytes) done();
    });
    socket.once('close', done).once('end', done);
  });
}

/** A whole login: sends, reads one reply, closes. */
async function login(text: string): Promise<string> {
  const socket = await open();
  const line = readLine(socket);
  socket.write(text, 'latin1');
  const answer = await line;
  socket.destroy();
  return answer;
}

function readLine(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (text.endsWith('\n')) resolve(text);
    });
    socket.once('close', () => resolve(text)).once('end', () => resolve(text));
  });
}

describe('createService', () => {
  it('answers a login with everything that came in, and acl_groups', async () => {
    expect(await login(request('alice', 'uid=1\tflag\tx=\u0001t\xff'))).toBe(reply('alice', 'uid=1\tflag\tx=\u0001t\xff'));
    expect(counters).toMatchObject({ logins: 1, denied: 0, refusedConnections: 0 });
    expect(activity).toEqual([1, 0]);
  });

  it('answers a request that arrives byte by byte', async () => {
    const socket = await open();
    const answer = readLine(socket);
    for (const byte of request('alice')) await new Promise((resolve) => socket.write(byte, resolve));
    expect(await answer).toBe(reply('alice'));
    socket.destroy();
  });

  it('answers several requests in their order, also to a client that has ended its side', async () => {
    const socket = await open();
    const answers = read(socket);
    socket.end(`${request('held')}${['b', 'c', 'd'].map((user) => `\t\t${user}\tuid=1\n`).join('')}`);
    await expect.poll(() => held.has('held')).toBe(true);
    held.get('held')?.();
    expect(await answers).toBe(['held', 'b', 'c', 'd'].map((user) => reply(user)).join(''));
  });

  it('denies by closing without a reply', async () => {
    expect(await login(request('denied'))).toBe('');
    expect(await login(request('bug'))).toBe('');
    expect(await login(request('m\xfcller'))).toBe('');
    expect(counters.denied).toBe(3);
    expect(lines).toEqual(['error: bug: something broke; login denied', 'error: the user name is not valid UTF-8; login denied']);
  });

  it('closes on what is no request, with one line in the log that shows nothing of it', async () => {
    expect(await login('GET / HTTP/1.1\r\nCookie: secret\r\n\r\n')).toBe('');
    expect(await login(`${VERSION_LINE}auth_token=secret\n`)).toBe('');
    expect(lines).toEqual([
      'warning: connection closed: the first line is not that of the script-login protocol, version 1',
      'warning: connection closed: a request does not start with two IP addresses',
    ]);
    expect(counters).toMatchObject({ logins: 0, refusedConnections: 2 });
  });

  it('harms no login by others that hang, speak nonsense, or say nothing', { timeout: 30_000 }, async () => {
    const idle = await Promise.all(Array.from({ length: 1000 }, open));
    const hanging = await open();
    hanging.write(request('held'));
    const partial = await open();
    partial.write('VERSION\tscript-');
    const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => login(request(`user${index}`))));
    expect(answers).toEqual(Array.from({ length: 50 }, (_, index) => reply(`user${index}`)));
    expect(service.connections).toBeGreaterThanOrEqual(1002);
    for (const socket of [...idle, hanging, partial]) socket.destroy();
  });

  it('passes fields of megabytes through, at the pace of a client that reads late', async () => {
    const field = `big=${'x'.repeat(2_000_000)}`;
    const socket = await open();
    socket.pause();
    socket.write(request('alice', field));
    await expect.poll(() => counters.logins).toBe(1);
    const answer = readLine(socket);
    socket.resume();
    expect(await answer).toBe(reply('alice', field));
    socket.destroy();
  });

  it('survives clients that go away before their reply', async () => {
    for (let index = 0; index < 20; index++) {
      const socket = await open();
      socket.write(request(`held${index}`));
      await expect.poll(() => held.has(`held${index}`)).toBe(true);
      socket.destroy();
      held.get(`held${index}`)?.();
    }
    expect(await login(request('alice'))).toBe(reply('alice'));
    await expect.poll(() => service.connections).toBe(0);
    expect(service.active).toBe(0);
  });

  it('drains: the logins in hand are answered, those who said nothing are let go, nobody new comes in', async () => {
    const busy = await open();
    const answer = read(busy);
    busy.write(request('held'));
    await expect.poll(() => held.has('held')).toBe(true);
    const idle = await open();
    await expect.poll(() => service.connections).toBe(2);
    let drained = false;
    const drain = service.drain(60_000).then(() => {
      drained = true;
    });
    await read(idle);
    expect(drained).toBe(false);
    await expect(open()).rejects.toThrow();
    held.get('held')?.();
    expect(await answer).toBe(reply('held'));
    await drain;
    expect(service.connections).toBe(0);
  });

  it('counts what it did', async () => {
    await login(request('alice'));
    await login(request('denied'));
    expect(service.status()).toMatch(
      /logins 2, denied 1, unknown users 0, cache hits 0, stale answers 0, lookups 0, slowest lookup 0, refused connections 0, doors post-login 2, provider errors 0, connections \d, logins in hand 0, .*configuration test/,
    );
  });
});
