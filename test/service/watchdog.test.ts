import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { build } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROJECT } from '../support/project.js';
import { temporaryDirectory } from '../support/temporary.js';

const directory = temporaryDirectory();
const program = join(directory, 'watched.mjs');
const children: ChildProcess[] = [];

beforeAll(async () => {
  const inputs = [
    ['watched', 'test/service/watched.ts', 'esm'],
    ['watchdog-thread', 'src/service/watchdog-thread.ts', 'cjs'],
  ] as const;
  for (const [name, file, format] of inputs) {
    const entryFileNames = format === 'esm' ? '[name].mjs' : '[name].cjs';
    await build({
      input: { [name]: join(PROJECT, file) },
      platform: 'node',
      logLevel: 'silent',
      output: { dir: directory, format, entryFileNames },
    });
  }
});
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
});

/** A process with a watchdog of two seconds, that does what it is told to. */
function start(what: string, env: NodeJS.ProcessEnv = {}): { child: ChildProcess; ended: Promise<unknown>; output: () => string } {
  const child = spawn(process.execPath, [program, what], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
  return { child, ended: once(child, 'close'), output: () => output };
}

describe('a process whose event loop stands still', () => {
  it('is ended by SIGKILL, with an error in the log', async () => {
    const { ended, output } = start('loop');
    expect(await ended).toEqual([null, 'SIGKILL']);
    expect(output()).toBe('acl-groups: error: the event loop stands still\n');
  });

  it("has that error in Dovecot's log format under Dovecot", async () => {
    const { child, ended, output } = start('loop', { LOG_SERVICE: '1' });
    expect(await ended).toEqual([null, 'SIGKILL']);
    expect(output()).toBe(`\u0001\u0004${child.pid} the event loop stands still\n`);
  });
});

describe('a process lives', () => {
  it('while it works, for as long as it likes, in pieces', async () => {
    const { ended, output } = start('work');
    expect(await ended).toEqual([0, null]);
    expect(output()).toBe('done\n');
  });

  it('after it was stopped for longer than the limit, several times', async () => {
    const { child, ended, output } = start('wait');
    await expect.poll(output).toBe('ready\n');
    for (let turn = 0; turn < 3; turn++) {
      child.kill('SIGSTOP');
      await new Promise((resolve) => setTimeout(resolve, 3000));
      child.kill('SIGCONT');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    child.kill('SIGUSR2');
    expect(await ended).toEqual([0, null]);
    expect(output()).toBe('ready\ndone\n');
  });

  it('when the watch is over', async () => {
    const { ended, output } = start('unwatched');
    expect(await ended).toEqual([0, null]);
    expect(output()).toBe('done\n');
  });

  it('and ends as it would without: the watch keeps nothing alive', async () => {
    const { ended, output } = start('nothing');
    expect(await ended).toEqual([0, null]);
    expect(output()).toBe('');
  });
});
