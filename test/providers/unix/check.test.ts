import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Finding } from '../../../src/providers/provider.js';
import { checkAccounts } from '../../../src/providers/unix/check.js';
import type { Source } from '../../../src/providers/unix/database.js';
import { openFiles } from '../../../src/providers/unix/files.js';
import { parseNsswitch } from '../../../src/providers/unix/nsswitch.js';
import { openSource } from '../../../src/providers/unix/source.js';
import { systemdState } from '../../../src/providers/unix/systemd.js';
import { createLogger } from '../../../src/support/log.js';
import { testDirectory } from '../../support/command.js';

const directory = testDirectory();
const never = new AbortController().signal;
const root = `${directory.path}/`;
const at = (name: string): string => join(directory.path, name);
directory.write('passwd', 'daemon:x:1:1:::\nalice:x:1000:1000:::\n');
directory.write('group', 'daemon:x:1:\nalice:x:1000:\nstaff:x:50:alice\n');

interface Machine {
  readonly source?: Source;
  readonly nsswitch?: string;
  readonly includePrimary?: boolean;
  readonly addon?: boolean;
}

async function check({ source = 'auto', nsswitch = '', includePrimary = true, addon = true }: Machine): Promise<readonly Finding[]> {
  const paths = { passwd: at('passwd'), group: at('group'), nsswitch: directory.write('nsswitch.conf', nsswitch), root };
  const findUserid = (): Promise<unknown> =>
    addon ? Promise.resolve() : Promise.reject(new Error("Cannot find module 'userid'\nRequire stack:"));
  const context = {
    files: openFiles(paths),
    services: () => parseNsswitch(nsswitch),
    systemd: () => systemdState(root),
    includePrimary,
    source,
    paths,
    limits: [8, 1000] as const,
    findUserid,
  };
  return await checkAccounts(context, never);
}

const FILES: Finding = { level: 'ok', message: `${at('passwd')} has 2 accounts, ${at('group')} 3 group ids` };
const DEBIAN = 'passwd: files systemd\ngroup: files systemd\n';

describe('the check of the unix provider', () => {
  it('says that the files answer where nsswitch.conf names nothing else', async () => {
    expect(await check({ addon: false })).toEqual([
      {
        level: 'ok',
        message: `accounts are looked up in ${at('passwd')} and ${at('group')}: nsswitch.conf has passwd: files; group: files`,
      },
      FILES,
    ]);
  });

  it('says what answers beside systemd, by what, and within which limits', async () => {
    expect(await check({ nsswitch: DEBIAN })).toEqual([
      {
        level: 'ok',
        message: `accounts of ${at('passwd')} and ${at('group')} are looked up there, others by the name services: nsswitch.conf has passwd: files systemd; group: files systemd`,
      },
      FILES,
      {
        level: 'ok',
        message: 'the userid addon asks the name services in the service, getent elsewhere: 8 lookups at a time, 1000 may wait',
      },
      { level: 'ok', message: 'the name services for passwd answer' },
      { level: 'ok', message: 'the name services for group answer' },
    ]);
  });

  it('says that systemd may add groups', async () => {
    const drop = join(directory.path, 'etc/userdb');
    mkdirSync(drop, { recursive: true });
    writeFileSync(join(drop, 'alice:staff.membership'), '');
    const [first] = await check({ nsswitch: 'passwd: files\ngroup: files systemd\n' });
    expect(first).toEqual({
      level: 'ok',
      message: `accounts are looked up by the name services, because systemd may add groups (${drop}): nsswitch.conf has passwd: files; group: files systemd`,
    });
  });

  it('names services that do not answer, for each database', async () => {
    const findings = await check({ nsswitch: 'passwd: files nosuch\ngroup: files\n' });
    expect(findings.slice(3)).toEqual([
      {
        level: 'error',
        message: "the name service nosuch, which nsswitch.conf names for passwd, doesn't answer; start it, or take it out of nsswitch.conf",
      },
      { level: 'ok', message: 'the name services for group answer' },
    ]);
  });

  it.each([
    [
      { source: 'userid', addon: false } as const,
      {
        level: 'error',
        message: "the userid addon can't be loaded: Cannot find module 'userid'",
        fix: 'run: npm rebuild userid (needs a C++ compiler)',
      },
    ],
    [
      { nsswitch: 'passwd: sss files\n', addon: false } as const,
      {
        level: 'ok',
        message:
          "getent asks the name services, with the same answers as the userid addon but slower, because that can't be loaded: 8 lookups at a time, 1000 may wait",
        fix: 'run: npm rebuild userid (needs a C++ compiler)',
      },
    ],
    [
      { source: 'getent' } as const,
      { level: 'ok', message: 'getent asks the name services (source = "getent"): 8 lookups at a time, 1000 may wait' },
    ],
    [
      { nsswitch: 'passwd: sss files\n', includePrimary: false } as const,
      { level: 'ok', message: 'getent asks the name services (include_primary = false): 8 lookups at a time, 1000 may wait' },
    ],
  ])('says what asks the name services: %j', async (machine, finding) => {
    expect((await check(machine))[2]).toEqual(finding);
  });

  it('warns of services that source = "files" ignores', async () => {
    expect(await check({ source: 'files', nsswitch: 'passwd: files ldap\n' })).toEqual([
      {
        level: 'warning',
        message: `accounts are looked up in ${at('passwd')} and ${at('group')} alone, because of source = "files", but nsswitch.conf has passwd: files ldap; group: files`,
        fix: 'set source = "auto", unless the other services are to be ignored',
      },
      FILES,
    ]);
  });

  it('warns of a last line that the C library ignores, and of files that others may write', async () => {
    chmodSync(at('group'), 0o666);
    const findings = await check({ nsswitch: 'passwd: files\ngroup: ldap # x' });
    chmodSync(at('group'), 0o644);
    expect(findings.slice(2)).toEqual([
      {
        level: 'error',
        message: `${at('group')} may be written by others than its owner (mode 666)`,
        fix: `run: chmod go-w ${at('group')}`,
      },
      {
        level: 'warning',
        message: `${at('nsswitch.conf')}: the C library ignores its last line, because no newline ends it: group: ldap # x`,
        fix: `run: echo >> ${at('nsswitch.conf')}`,
      },
    ]);
  });

  it('warns of comments that the C library takes for services, and expects no answer from them', async () => {
    expect((await check({ nsswitch: 'passwd: files\ngroup: files # was nosuch\n' })).slice(2)).toEqual([
      {
        level: 'warning',
        message: 'nsswitch.conf: the C library takes what is behind a list for services, not for a comment: # was nosuch',
        fix: 'move the comment to a line of its own',
      },
      {
        level: 'ok',
        message: 'the userid addon asks the name services in the service, getent elsewhere: 8 lookups at a time, 1000 may wait',
      },
      { level: 'ok', message: 'the name services for passwd answer' },
      { level: 'ok', message: 'the name services for group answer' },
    ]);
  });

  it('reports a file that is missing, or that can not be read', async () => {
    const paths = { passwd: at('missing'), group: at('group'), nsswitch: at('broken'), root };
    const finding = async (): Promise<unknown> => (await openSource('auto', { log: createLogger(() => {}) }, true, paths).check(never))[0];
    expect(await finding()).toEqual({ level: 'error', message: `ENOENT: no such file or directory, open '${at('missing')}'` });
    writeFileSync(at('broken'), 'group: files [\n');
    expect(await finding()).toEqual({ level: 'error', message: "nsswitch.conf: the line of group can't be read: group: files [" });
  });
});
