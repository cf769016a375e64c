import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'acl-groups-lookup-'));
  await writeFile(join(directory, 'groups'), 'staff:x:50:alice\nDomain Users:x::alice\nevil\u001b[31m:x::alice\n', { mode: 0o644 });
  await writeFile(join(directory, 'config.toml'), 'providers = ["file"]\n[provider.file]\npath = "groups"\n', { mode: 0o644 });
  await writeFile(join(directory, 'broken.toml'), 'providers = ["file"]\n[provider.file]\npath = "missing"\n', { mode: 0o644 });
});
afterAll(() => rm(directory, { recursive: true, force: true }));

interface Result {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(file: string, words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Result> {
  return new Promise((resolve) => {
    const options = { cwd: directory, env: { PATH: process.env.PATH, TERM: 'xterm-256color', ...env } };
    const child = execFile(file, words, options, (_error, stdout, stderr) => resolve({ status: child.exitCode, stdout, stderr }));
  });
}

/** Runs the installed command. */
const lookup = (...words: readonly string[]): Promise<Result> => run(inject('installed')['2.3'].command, ['lookup', ...words]);

/** Runs it on a terminal of its own, by script(1). */
async function onTerminal(env: NodeJS.ProcessEnv): Promise<string> {
  const command = `${inject('installed')['2.3'].command} lookup -c config.toml -D 2.4 alice`;
  return (await run('script', ['--quiet', '--return', '--command', command, '/dev/null'], env)).stdout.replaceAll('\r\n', '\n');
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: terminals are told colours by one
const COLOURS = /\u001b\[\d+m/g;

describe('the installed lookup', () => {
  it('is plain in a pipe, coloured on a terminal, and the same otherwise', async () => {
    const { status, stdout } = await lookup('-c', 'config.toml', '-D', '2.4', 'alice');
    const timeless = (text: string): string => text.replace(/ +\d+\.\d ms/, ' 1.0 ms');
    expect(status).toBe(0);
    expect(timeless(stdout)).toBe(`alice
  provider  says   in
  file      found 1.0 ms

  group         from
  staff         file  gid 50
  Domain Users  file

  skipped         from  because
  evil\\u{1b}[31m  file  its name holds control characters

  acl_groups  staff,"Domain Users"
  Dovecot     2.4, by -D

`);
    const coloured = await onTerminal({});
    expect(coloured).toMatch(COLOURS);
    expect(timeless(coloured.replaceAll(COLOURS, ''))).toBe(timeless(stdout));
    expect(timeless(await onTerminal({ NO_COLOR: '1' }))).toBe(timeless(stdout));
  });

  it('shows with -v what the providers did', async () => {
    const { stderr } = await lookup('-v', '-c', 'config.toml', 'alice');
    expect(stderr).toBe('acl-groups: debug: file: read groups: 1 users\n');
  });

  it.each([
    [0, ['-c', 'config.toml', 'alice']],
    [67, ['-c', 'config.toml', 'alice', 'bob']],
    [75, ['-c', 'broken.toml', 'alice']],
    [64, ['-c', 'config.toml']],
    [64, ['-c', 'config.toml', '']],
    [64, ['-s', 'socket', '']],
    [64, ['-c', 'config.toml', '--nonsense', 'alice']],
    [78, ['-c', 'missing.toml', 'alice']],
    [78, ['-c', 'config.toml', '-p', 'file,nonsense', 'alice']],
  ])('ends with status %i for %j', async (status, words) => {
    expect(await lookup(...words)).toMatchObject({ status });
  });

  it('ends without an error for who has read enough, and with one where nothing can be written', async () => {
    const command = inject('installed')['2.3'].command;
    const reader = spawn(command, ['providers'], { stdio: ['ignore', 'pipe', 'pipe'] });
    reader.stdout.destroy();
    let said = '';
    reader.stderr.on('data', (text) => {
      said += text;
    });
    await once(reader, 'close');
    expect({ status: reader.exitCode, said }).toEqual({ status: 0, said: '' });
    expect(await run('sh', ['-c', '"$1" providers >/dev/full', 'sh', command])).toEqual({
      status: 75,
      stdout: '',
      stderr: 'acl-groups: error: stdout: ENOSPC: no space left on device, write\n',
    });
  });
});
