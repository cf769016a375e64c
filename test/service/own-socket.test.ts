import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { lstat, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listenHidden } from '../../src/service/own-socket.js';

let directory: string;
let path: string;
const servers: Server[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'serve-'));
  path = join(directory, 's');
});

afterEach(async () => {
  for (const server of servers.splice(0)) server.close();
  await rm(directory, { recursive: true });
});

/** As the service does it. */
const listenOnPath = async (server: Server, socket: string, mode: number): Promise<() => void> =>
  (await listenHidden(server, socket, mode)).publish();

function newServer(greeting = ''): Server {
  const server = createServer((socket) => socket.on('error', () => {}).end(greeting));
  servers.push(server);
  return server;
}

async function ask(): Promise<string> {
  const socket = connect(path);
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  await once(socket, 'close');
  return text;
}

/** Leaves a socket file that nobody listens on: what a killed process leaves. */
async function leaveDead(): Promise<void> {
  const code = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
  const script = join(directory, 'dead.cjs');
  await writeFile(script, code);
  await once(fork(script), 'exit');
  await rm(script);
  expect((await lstat(path)).isSocket()).toBe(true);
}

describe('listenOnPath', () => {
  it.each([0o600, 0o660, 0o666])('makes a socket of mode %o, and removes it', async (mode) => {
    const remove = await listenOnPath(newServer('hello'), path, mode);
    expect((await lstat(path)).mode & 0o777).toBe(mode);
    expect(await ask()).toBe('hello');
    expect(await readdir(directory)).toEqual(['s']);
    remove();
    expect(await readdir(directory)).toEqual([]);
  });

  it('replaces a dead socket', async () => {
    await leaveDead();
    await listenOnPath(newServer('new'), path, 0o600);
    expect(await ask()).toBe('new');
    expect(await readdir(directory)).toEqual(['s']);
  });

  it('refuses a live socket, which goes on', async () => {
    await listenOnPath(newServer('first'), path, 0o600);
    await expect(listenOnPath(newServer(), path, 0o600)).rejects.toThrow(`${path}: another process listens there`);
    expect(await ask()).toBe('first');
    expect(await readdir(directory)).toEqual(['s']);
  });

  it('leaves a file alone that is no socket', async () => {
    await writeFile(path, 'mine');
    await expect(listenOnPath(newServer(), path, 0o600)).rejects.toThrow(`${path}: there is a file that is no socket; it was left alone`);
    expect(existsSync(path)).toBe(true);
  });

  it('removes nothing that has taken its place', async () => {
    const remove = await listenOnPath(newServer(), path, 0o600);
    await rename(path, `${path}.away`);
    await listenOnPath(newServer('second'), path, 0o600);
    remove();
    expect(await ask()).toBe('second');
  });

  it('gives the path to one of many that start at once, dead socket or not', async () => {
    for (let round = 0; round < 10; round++) {
      if (round % 2 === 1) await leaveDead();
      const contenders = Array.from({ length: 5 }, (_, index) => newServer(`${index}`));
      const results = await Promise.allSettled(contenders.map((server) => listenOnPath(server, path, 0o600)));
      const won = results.flatMap(({ status }, index) => (status === 'fulfilled' ? [`${index}`] : []));
      expect(won).toHaveLength(1);
      expect(await ask()).toBe(won[0]);
      for (const result of results) if (result.status === 'fulfilled') result.value();
      for (const server of contenders) server.close();
    }
  });

  it.each([
    ['a directory that is missing', () => join(directory, 'no/s'), /^.*no\/s: can't listen there: .*ENOENT/],
    ['a path that is too long', () => join(directory, 'x'.repeat(100)), /has 96 bytes at most$/],
  ])('says what is wrong with %s', async (_, where, message) => {
    await expect(listenOnPath(newServer(), where(), 0o600)).rejects.toThrow(message);
  });
});
