import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { layOutCheckout } from '../support/checkout.js';

/** What Debian has is what every other suite runs on; these come as npm's package `node`. */
const RELEASES = [
  { release: 22, smallest: true },
  // These need more address space than Dovecot 2.3 gives by default.
  { release: 24, smallest: false },
  { release: 26, smallest: false },
] as const;

const MIB_256 = 256 * 1024;

let directory: string;
beforeAll(async () => {
  directory = mkdtempSync('/tmp/acl-groups-node-');
  const packages = [18, ...RELEASES.map(({ release }) => release)].map((release) => `node${release}@npm:node@${release}`);
  await promisify(execFile)('npm', ['install', '--silent', '--prefix', directory, ...packages]);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe.each(RELEASES)('on Node.js $release', ({ release, smallest }) => {
  let prefix: string;
  beforeAll(async () => {
    prefix = await layOutCheckout();
    symlinkSync(join(directory, `node_modules/node${release}/bin/node`), join(prefix, 'bin/node'));
  });
  afterAll(() => rmSync(prefix, { recursive: true, force: true }));

  const command = (): string => join(prefix, 'bin/acl-groups');
  const groups = execFileSync('id', ['-Gn', 'root'], { encoding: 'utf8' }).trim().replaceAll(' ', ',');

  it('is run by that release', () => {
    expect(execFileSync(join(prefix, 'bin/node'), ['--version'], { encoding: 'utf8' })).toMatch(new RegExp(`^v${release}\\.`));
  });

  it('execs the program with the groups', () => {
    const { status, stdout, stderr } = spawnSync('env', ['-i', 'USER=root', command(), '/usr/bin/env'], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout.split('\n')).toContain(`ACL_GROUPS=${groups}`);
  });

  it('answers lookups', () => {
    const { status, stdout, stderr } = spawnSync(command(), ['lookup', '--json', 'root', 'nobody-like-this'], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 67, stderr: '' });
    expect(JSON.parse(stdout.split('\n')[0] ?? '')).toMatchObject({ user: 'root', acl_groups: groups });
  });

  it('serves at a socket, answers there, and ends, without a word on stderr but its own', async () => {
    const socket = join(prefix, 'socket');
    const service = spawn('env', ['-i', command(), 'serve', '--listen', socket], { stdio: ['ignore', 'ignore', 'pipe'] });
    const ended = once(service, 'close');
    let log = '';
    await new Promise<void>((resolve) => {
      service.stderr.setEncoding('utf8').on('data', (text: string) => {
        log += text;
        if (log.includes('serves logins')) resolve();
      });
      service.once('close', resolve);
    });
    const { status, stdout, stderr } = spawnSync(command(), ['lookup', '--socket', socket, 'root'], { encoding: 'utf8' });
    service.kill('SIGTERM');
    await ended;
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain(`acl_groups=${groups}`);
    expect(service.exitCode).toBe(0);
    expect(log).toMatch(/^acl-groups: info: acl-groups \S+ serves logins\nacl-groups: info: ends: .*\n$/);
  });

  it(`${smallest ? 'runs' : 'says what to set'} in the address space that Dovecot 2.3 gives a service by default`, () => {
    // As a user who can't lift the limit: root could.
    const limited = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', 'env', '-i', 'USER=root', command(), '/usr/bin/env'];
    const { status, stdout, stderr } = spawnSync(
      'sh',
      ['-c', `chmod -R a+rX "$0" "$1"; shift; ulimit -v ${MIB_256}; exec "$@"`, prefix, directory, ...limited],
      {
        encoding: 'utf8',
      },
    );
    if (smallest) {
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(stdout.split('\n')).toContain(`ACL_GROUPS=${groups}`);
    } else {
      expect({ status, stdout }).toEqual({ status: 78, stdout: '' });
      expect(stderr).toBe(
        `acl-groups: error: ${join(prefix, 'bin/node')} can't run within 256 MiB of address space; set vsz_limit = 2G in this service's block of dovecot.conf, or no limit: 0 in Dovecot 2.3, unlimited in 2.4\n`,
      );
    }
  });
});

describe("on Debian 12's own release, 18", () => {
  let prefix: string;
  beforeAll(async () => {
    prefix = await layOutCheckout();
    symlinkSync(join(directory, 'node_modules/node18/bin/node'), join(prefix, 'bin/node'));
  });
  afterAll(() => rmSync(prefix, { recursive: true, force: true }));

  it.each([[['/bin/echo', 'ran']], [['lookup', 'root']], [['serve', '-l', '/none/socket']]])('%j says which one it needs', (words) => {
    const { status, stdout, stderr } = spawnSync('env', ['-i', 'USER=root', join(prefix, 'bin/acl-groups'), ...words], {
      encoding: 'utf8',
    });
    expect({ status, stdout }).toEqual({ status: 69, stdout: '' });
    expect(stderr).toMatch(/^acl-groups: error: \S+\/node is Node\.js 18\.[\d.]+; install Node\.js 20\.19 or newer\n$/);
  });
});

describe('without Node.js', () => {
  let prefix: string;
  beforeAll(async () => {
    prefix = await layOutCheckout();
  });
  afterAll(() => rmSync(prefix, { recursive: true, force: true }));

  it('says where it was looked for, and execs nothing', () => {
    const hide = 'for n in /usr/local/bin/node /usr/bin/node /bin/node; do [ ! -e "$n" ] || mount --bind /dev/null "$n"; done';
    const command = join(prefix, 'bin/acl-groups');
    const { status, stdout, stderr } = spawnSync(
      'unshare',
      ['-m', 'sh', '-c', `${hide}; exec env -i USER=root "$0" /bin/echo ran`, command],
      {
        encoding: 'utf8',
      },
    );
    expect({ status, stdout, stderr }).toEqual({
      status: 69,
      stdout: '',
      stderr: `acl-groups: error: node not found in ${prefix}/bin, PATH, /usr/local/bin, /usr/bin; install Node.js 20.19 or newer\n`,
    });
  });
});
