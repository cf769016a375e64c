import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_GID } from '../../src/providers/unix/database.js';
import { openFiles } from '../../src/providers/unix/files.js';
import { parseNsswitch, type Service } from '../../src/providers/unix/nsswitch.js';
import { ACCOUNTS, accountFiles, nsswitchFiles } from '../support/account-arbitraries.js';
import { type OwnEtc, ownEtc, runUnder } from '../support/own-etc.js';

const PROGRAM = fileURLToPath(new URL('../../dist/acl-groups.cjs', import.meta.url));
const NSSWITCH = 'passwd: files\ngroup: files\n';

/** Has account files of one's own, in latin1, for as long as `use` runs. */
function withFiles({ passwd, group }: { readonly passwd: string; readonly group: string }, use: (etc: OwnEtc) => void): void {
  const etc = ownEtc({
    '/etc/passwd': Buffer.from(passwd, 'latin1'),
    '/etc/group': Buffer.from(group, 'latin1'),
    '/etc/nsswitch.conf': NSSWITCH,
  });
  try {
    use(etc);
  } finally {
    rmSync(etc.directory, { recursive: true });
  }
}

/** A group id and its name, or the id again where it has none. */
type Named = readonly [gid: number, name: string];

/** What id(1) says of accounts, which is what the C library says; by account, those that it doesn't know left out. */
function askId(etc: OwnEtc, accounts: readonly string[]): ReadonlyMap<string, readonly Named[]> {
  const script = 'for user; do id -Gz -- "$user" || :; echo; id -Gnz -- "$user" || :; echo; done';
  const lines = runUnder(etc, ['sh', '-c', script, 'sh', ...accounts])
    .stdout.toString('latin1')
    .split('\n');
  const found = new Map<string, readonly Named[]>();
  accounts.forEach((account, index) => {
    const [gids = [], names = []] = [lines[2 * index], lines[2 * index + 1]].map((line = '') => line.split('\0').slice(0, -1));
    const groups = gids.map((gid, at): Named => [Number(gid), Buffer.from(names[at] ?? '', 'latin1').toString('utf8')]);
    // id drops most duplicates, but not all.
    if (groups.length > 0)
      found.set(
        account,
        [...new Map(groups)].filter(([gid]) => gid !== NO_GID),
      );
  });
  return found;
}

function askFiles(etc: OwnEtc, accounts: readonly string[]): ReadonlyMap<string, readonly Named[]> {
  const files = openFiles({ passwd: etc.file('/etc/passwd'), group: etc.file('/etc/group') });
  const found = new Map<string, readonly Named[]>();
  for (const account of accounts) {
    const groups = files.find(account);
    if (groups)
      found.set(
        account,
        groups.filter(({ gid }) => gid !== NO_GID).map(({ gid, name }) => [gid, name ?? String(gid)]),
      );
  }
  return found;
}

interface Answer {
  readonly user: string;
  readonly groups: readonly { readonly name: string; readonly gid: number }[];
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
  readonly providers: readonly { readonly outcome: string; readonly error?: string }[];
}

function lookup(etc: OwnEtc, source: string, accounts: readonly string[], options = ''): readonly Answer[] {
  const config = join(etc.directory, `${source}.toml`);
  writeFileSync(config, `timeout = "60s"\n[provider.unix]\nsource = "${source}"\n${options}\n`, { mode: 0o600 });
  const { stdout, stderr } = runUnder(etc, [process.execPath, PROGRAM, 'lookup', '-D', '2.4', '--json', '-c', config, ...accounts]);
  expect(stderr.toString()).not.toContain('unexpected error');
  return stdout
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe('the index over the files', () => {
  it('finds what id finds, in files of any kind', () => {
    fc.assert(
      fc.property(accountFiles, (files) => {
        withFiles(files, (etc) => {
          expect(askFiles(etc, ACCOUNTS)).toEqual(askId(etc, ACCOUNTS));
        });
      }),
      { numRuns: 100 },
    );
  });

  it('finds what id finds in 20,000 groups, the user being in 500', () => {
    const groups = Array.from(
      { length: 20_000 },
      (_, n) => `group ${n}:x:${n + 1000}:u${n % 7},${n % 40 === 0 ? 'alice,' : ''}u${n % 11}\n`,
    );
    withFiles({ passwd: 'alice:x:1:1000:::\nbob:x:2:7::', group: groups.join('') }, (etc) => {
      const found = askFiles(etc, ['alice', 'bob']);
      expect(found.get('alice')).toHaveLength(500);
      expect(found).toEqual(askId(etc, ['alice', 'bob']));
    });
  });
});

/**
 * Whether a group of the file is found by a line of nsswitch.conf, where no service but `files` is installed: nsswitch.conf(5). Such a
 * service counts as unavailable for what is done next, but doesn't undo what was found (nss/nsswitch.c, __nss_next2).
 */
function finds(services: readonly Service[]): boolean {
  let found = false;
  for (const { name, actions } of services) {
    const status = name === 'files' ? 'SUCCESS' : 'UNAVAIL';
    let action = status === 'SUCCESS' ? 'return' : 'continue';
    for (const written of actions) {
      const [, not, which, what = ''] = /^(!?)(\w+)=(\w+)$/.exec(written) ?? [];
      if ((which === status) !== (not === '!')) action = what;
    }
    found ||= status === 'SUCCESS';
    if (action === 'return') return found;
  }
  return found;
}

describe('nsswitch.conf', () => {
  it('is read as the C library reads it', () => {
    fc.assert(
      fc.property(nsswitchFiles, (nsswitch) => {
        const etc = ownEtc({
          '/etc/passwd': '',
          '/etc/group': 'staff:x:50:alice\n',
          '/etc/nsswitch.conf': Buffer.from(nsswitch, 'latin1'),
        });
        try {
          const real = runUnder(etc, ['/usr/bin/getent', 'group', 'staff']).status === 0;
          let ours = false;
          try {
            ours = finds(parseNsswitch(nsswitch).group);
          } catch (error) {
            expect(String(error)).toContain("can't be read");
          }
          expect(ours).toBe(real);
        } finally {
          rmSync(etc.directory, { recursive: true });
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('the three account databases', () => {
  it('give the same answers', () => {
    fc.assert(
      fc.property(accountFiles, (files) => {
        withFiles(files, (etc) => {
          const ask = (source: string, options?: string) =>
            lookup(etc, source, ACCOUNTS, options).map(({ user, groups, skipped, providers: [provider] }) => ({
              user,
              groups,
              skipped,
              outcome: provider?.outcome,
              error: provider?.error,
            }));
          const files = ask('files');
          // To the addon and to getent, (gid_t)-1 is no group at all: they say nothing of it.
          const withoutNoGid = (answers: ReturnType<typeof ask>) =>
            answers.map((answer) => ({ ...answer, skipped: answer.skipped.filter(({ reason }) => !reason.includes('"no group"')) }));
          expect(ask('userid')).toEqual(withoutNoGid(files));
          expect(ask('getent')).toEqual(withoutNoGid(files));
          const listed = 'include_primary = false';
          expect(ask('getent', listed)).toEqual(withoutNoGid(ask('files', listed)));
        });
      }),
      { numRuns: 10 },
    );
  });
});
