import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, expect, it, vi } from 'vitest';
import { openFiles } from '../../../src/providers/unix/files.js';
import { ACCOUNTS, accountFiles } from '../../support/account-arbitraries.js';

const directory = mkdtempSync(join(tmpdir(), 'acl-groups-files-'));
const paths = { passwd: join(directory, 'passwd'), group: join(directory, 'group') };
afterAll(() => rmSync(directory, { recursive: true }));

afterEach(() => {
  vi.useRealTimers();
});

function write(passwd: string, group: string): void {
  writeFileSync(paths.passwd, passwd, 'latin1');
  writeFileSync(paths.group, group, 'latin1');
}

it('gives the same answer the first time and ever after', () => {
  vi.useFakeTimers({ toFake: ['Date', 'hrtime'] });
  fc.assert(
    fc.property(accountFiles, ({ passwd, group }) => {
      write(passwd, group);
      const kept = openFiles(paths);
      for (const account of [...ACCOUNTS, ...ACCOUNTS]) {
        // Long enough for the files to be kept.
        vi.advanceTimersByTime(1000);
        expect(kept.find(account)).toEqual(openFiles(paths).find(account));
      }
    }),
  );
});

it('names groups by itself, whether or not it was asked for an account before', () => {
  write('alice:x:1:1::', 'one:x:1:\nj\xc3\xb6rg:x:2:\nbroken \xff:x:3:\n');
  const files = openFiles(paths);
  const names = new Map([
    [2, 'jörg'],
    [3, 'broken \ufffd'],
  ]);
  for (const _ of [1, 2, 3]) expect(files.groupNames([2, 3, 4])).toEqual(names);
  expect(files.find('alice')).toEqual([{ gid: 1, name: 'one' }]);
});

it('picks names to try services with that they have no entries of their own for', () => {
  write('root:x:0:0::\n+nis:x:1:1::\ndaemon:x:1:1::\n', 'root:x:0:\nnogroup:x:65534:\n');
  expect(openFiles(paths).anyNames()).toEqual({ account: 'daemon', group: 'root' });
  write('', '#\n');
  expect(openFiles(paths).anyNames()).toEqual({ account: undefined, group: undefined });
});
