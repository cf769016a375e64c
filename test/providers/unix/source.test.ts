import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AccountDatabase, Source } from '../../../src/providers/unix/database.js';
import { openSource } from '../../../src/providers/unix/source.js';
import { createLogger } from '../../../src/support/log.js';

const never = new AbortController().signal;
let directory: string;
let logged: string[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'acl-groups-source-'));
  logged = [];
  write('passwd', 'alice:x:100:1::/:\nbob:x:101:9::/:\n');
  write('group', 'staff:x:1:\nacct:x:2:bob,alice\n');
});
afterEach(() => rmSync(directory, { recursive: true }));

function write(name: string, text: string): void {
  writeFileSync(join(directory, name), text);
}

function open(source: Source, resident = false, includePrimary = true): AccountDatabase {
  const [passwd, group, nsswitch] = ['passwd', 'group', 'nsswitch.conf'].map((name) => join(directory, name)) as [string, string, string];
  return openSource(source, { log: createLogger((_, message) => logged.push(message)), resident }, includePrimary, {
    passwd,
    group,
    nsswitch,
    root: `${directory}/`,
  });
}

const ALICE = [
  { gid: 1, name: 'staff' },
  { gid: 2, name: 'acct' },
];

describe('openSource', () => {
  it('answers by the files where they are all there is', async () => {
    const database = open('auto');
    expect(await database.lookup('alice', never)).toEqual(ALICE);
    expect(await database.lookup('nobody-like-this', never)).toBeUndefined();
    expect(logged[0]).toBe('alice: source files: nsswitch.conf leaves it to the files (passwd: files; group: files)');
  });

  it('answers by the files for their own accounts beside systemd', async () => {
    write('nsswitch.conf', 'passwd: files systemd\ngroup: files systemd\n');
    expect(await open('auto').lookup('alice', never)).toEqual(ALICE);
  });

  it.each([
    ['an account that the files lack', 'zoe', () => {}, 'not in'],
    ['an id that the files have no name for', 'bob', () => {}, 'has no group 9'],
    ['a service that may add groups', 'alice', () => write('run/systemd/userdb/io.systemd.Home', ''), 'systemd may add groups'],
    [
      'another name service',
      'alice',
      () => write('nsswitch.conf', 'passwd: files ldap\n'),
      'nsswitch.conf names other services: passwd: files ldap; group: files',
    ],
  ])('asks the C library for %s', async (_, account, prepare, reason) => {
    write('nsswitch.conf', 'passwd: files systemd\ngroup: files systemd\n');
    mkdirSync(join(directory, 'run/systemd/userdb'), { recursive: true });
    prepare();
    const database = open('auto');
    // Not answered: with its deadline past, nothing is asked.
    await expect(database.lookup(account, AbortSignal.abort(new Error('past')))).rejects.toThrow('past');
    expect(logged[0]).toContain(`${account}: not by the files: `);
    expect(logged[0]).toContain(reason);
  });

  it('reads what changes', async () => {
    const database = open('auto');
    await database.lookup('alice', never);
    write('group', 'staff:x:1:alice\nnew:x:3:alice\n');
    expect(await database.lookup('alice', never)).toEqual([
      { gid: 1, name: 'staff' },
      { gid: 3, name: 'new' },
    ]);
  });

  it.each(['passwd', 'group'])('fails without %s, where no answer would be one that denies groups', async (name) => {
    rmSync(join(directory, name));
    await expect(open('files').lookup('alice', never)).rejects.toThrow(
      `ENOENT: no such file or directory, open '${join(directory, name)}'`,
    );
  });

  it.each(['', 'a:b', 'alice\n', 'alice\0', '+alice', '-alice', '#alice', ' alice'])('knows no account %j', async (account) => {
    write('passwd', 'alice:x:1:1::/:\n+alice:x:1:1::/:\n-alice:x:1:1::/:\n #alice:x:1:1::/:\n alice:x:1:1::\n');
    expect(await open('auto').lookup(account, never)).toBeUndefined();
  });

  it('asks getent for a single lookup, and the addon in a process that stays', async () => {
    write('nsswitch.conf', 'passwd: files systemd\ngroup: files systemd\n');
    const single = open('auto');
    await single.lookup('nobody-like-this', never);
    await single.close?.();
    expect(logged).toContain('source getent: the quickest for a single lookup');
    logged = [];
    const resident = open('auto', true);
    await resident.lookup('nobody-like-this', never);
    await resident.close?.();
    expect(
      logged.some((line) => line.startsWith('source userid: ') || line.startsWith("source getent: the userid addon can't be loaded")),
    ).toBe(true);
  });
});
