import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AWKWARD_NAMES, contractCases, loginUser } from '../../../src/providers/contract.js';
import file from '../../../src/providers/file/definition.js';
import type { GroupProvider } from '../../../src/providers/provider.js';
import { ProviderError } from '../../../src/support/errors.js';
import { createLogger } from '../../../src/support/log.js';
import { testDirectory } from '../../support/command.js';

const directory = testDirectory();
const lines: string[] = [];
const log = createLogger((level, message) => lines.push(`${level}: ${message}`));
const never = new AbortController().signal;

function open(path: string): GroupProvider {
  return file.create({ path }, { directory: directory.path, log });
}

// What no name of group(5) can have: a colon, blanks at its ends, and what comments and entries of NIS begin with.
const awkward = AWKWARD_NAMES.filter((name) => !/:|^[#+\- ]| $/.test(name));
directory.write('groups', awkward.map((name) => `${name}:x::alice@example.com,x\n`).join(''));

describe('the contract', () => {
  const cases = contractCases({
    open: () => open('groups'),
    users: [{ user: loginUser('alice@example.com'), groups: awkward }],
    stranger: loginUser('alice'),
    openBroken: () => open('missing'),
  });
  for (const { name, run } of cases) it(name, run);
});

describe('the file provider', () => {
  it('counts the whole name and the account, each group once', async () => {
    directory.write('both', 'a:::alice\nb:::alice@example.com,alice\nc:::alice@example.com\nd:::bob\n');
    const groups = await open('both').groups(loginUser('alice@example.com', { account: 'alice' }), never);
    expect(groups).toEqual([{ name: 'b' }, { name: 'c' }, { name: 'a' }]);
  });

  it('compares exactly', async () => {
    directory.write('exact', 'a:::Alice@example.com\n');
    expect(await open('exact').groups(loginUser('alice@example.com'), never)).toBeUndefined();
  });

  it('reads again when the file has changed', async () => {
    const path = directory.write('changing', 'a:::alice\n');
    const provider = open('changing');
    const groups = async (): Promise<readonly string[] | undefined> =>
      (await provider.groups(loginUser('alice'), never))?.map(({ name }) => name);
    lines.length = 0;
    expect(await groups()).toEqual(['a']);
    writeFileSync(path, 'b:::alice\nc:::alice\n');
    expect(await groups()).toEqual(['b', 'c']);
    rmSync(path);
    await expect(groups()).rejects.toThrow(ProviderError);
    directory.write('changing', 'd:::alice\n');
    expect(await groups()).toEqual(['d']);
    expect(new Set(lines)).toEqual(new Set(['debug: file: read changing: 1 users']));
  });

  it.each([
    [
      'missing',
      `file: ${join(directory.path, 'missing')} can't be used: ENOENT: no such file or directory, open '${join(directory.path, 'missing')}'; create it, or correct path in [provider.file]`,
    ],
    [
      'circle',
      `file: ${join(directory.path, 'circle')} can't be used: ELOOP: too many symbolic links encountered, stat '${join(directory.path, 'circle')}'; correct path in [provider.file]`,
    ],
    ['.', `file: ${directory.path}: refused: it is a directory; name a regular file`],
    [
      'malformed',
      `file: ${join(directory.path, 'malformed')} can't be used: line 1: expected name:password:gid:members, found "a:b"; fix that line`,
    ],
  ])('says of %s what is wrong and how to fix it', async (path, message) => {
    directory.write('malformed', 'a:b\n');
    symlinkSync('circle', join(directory.path, 'circle'));
    onTestFinished(() => rmSync(join(directory.path, 'circle')));
    await expect(open(path).groups(loginUser('alice'), never)).rejects.toThrow(new ProviderError('file', message.slice('file: '.length)));
  });

  it('never makes a group of bytes that are no text', async () => {
    writeFileSync(join(directory.path, 'latin1'), Buffer.from('caf\xe9:::alice\ncafé:::alice\n', 'latin1'));
    const groups = await open('latin1').groups(loginUser('alice'), never);
    expect(groups?.map(({ name }) => name.includes('\ufffd'))).toEqual([true]);
  });

  it('refuses a file that others may write, or that belongs to somebody else', async () => {
    const path = directory.write('untrusted', 'a:::alice\n');
    chmodSync(path, 0o664);
    await expect(open('untrusted').groups(loginUser('alice'), never)).rejects.toThrow(
      new ProviderError('file', `${path}: refused: it may be written by others than its owner (mode 664); run: chmod go-w ${path}`),
    );
    chmodSync(path, 0o644);
    if (process.getuid?.() !== 0) return;
    chownSync(path, 12_345, 0);
    await expect(open('untrusted').groups(loginUser('alice'), never)).rejects.toThrow(
      new ProviderError('file', `${path}: refused: it belongs to uid 12345, not to root; run: chown root ${path}`),
    );
  });

  it('does not wait for a FIFO', async () => {
    const path = join(directory.path, 'fifo');
    execFileSync('mkfifo', [path]);
    await expect(open('fifo').groups(loginUser('alice'), never)).rejects.toThrow(
      new ProviderError('file', `${path}: refused: it is a FIFO; name a regular file`),
    );
  });

  it('checks that the file is there, what is in it, and who may write it', async () => {
    const path = directory.write('checked', 'a:::alice,bob\nb:::alice\nempty:::\n');
    const check = (name: string) => open(name).check?.(never);
    const counts = { level: 'ok', message: `${path}: 2 groups with members, 2 users` };
    expect(await check('checked')).toEqual([counts]);
    chmodSync(directory.path, 0o775);
    expect(await check('checked')).toEqual([
      counts,
      {
        level: 'warning',
        message: `the directory of ${path} may be written by others than its owner (mode 775)`,
        fix: `run: chmod go-w ${directory.path}`,
      },
    ]);
    chmodSync(directory.path, 0o755);
    chmodSync(path, 0o664);
    expect(await check('checked')).toEqual([
      {
        level: 'error',
        message: `file: ${path}: refused: it may be written by others than its owner (mode 664); run: chmod go-w ${path}`,
      },
    ]);
    expect(await check('missing')).toMatchObject([{ level: 'error' }]);
  });
});
