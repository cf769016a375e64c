import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { layOutCheckout } from '../support/checkout.js';
import { launch as launchBy, PRINT_ENVIRONMENT, parsePrinted, SHELLS } from '../support/shells.js';

let prefix: string;
let cache: string;
let groupFile: string;
let options: readonly string[];

/** Makes a file older than any entry. */
function age(file: string): void {
  const longAgo = new Date(Date.now() - 86_400_000);
  utimesSync(file, longAgo, longAgo);
}

beforeAll(async () => {
  prefix = await layOutCheckout();
  cache = join(prefix, 'cache');
  groupFile = join(prefix, 'groups');
  const config = join(prefix, 'acl-groups.toml');
  writeFileSync(config, `providers = ["file"]\n[provider.file]\npath = "${groupFile}"\n`, { mode: 0o644 });
  age(config);
  options = ['-c', config, `--cache-dir=${cache}`];
});
afterAll(() => rmSync(prefix, { recursive: true, force: true }));

beforeEach(() => {
  mkdirSync(cache, { mode: 0o700 });
  writeFileSync(groupFile, 'acct:x:1:alice\n"odd" \\ name:x:2:alice\n');
});
afterEach(() => rmSync(cache, { recursive: true }));

const ALICE = { USER: 'alice', USERDB_KEYS: 'UID', UID: '77' };
const VALUE = String.raw`acct,"\"odd\" \\\\ name"`;

describe.each(SHELLS)('the cache of exec mode under $name', (shell) => {
  /** The environment of the program, or the launcher's exit status. */
  function login(
    env: Readonly<Record<string, string>> = ALICE,
    words: readonly string[] = options,
  ): Record<string, string> | number | null {
    const { status, stdout, stderr } = launchBy(shell, prefix, ['-D', '2.4', ...words, ...PRINT_ENVIRONMENT], env);
    return status === 0 && stderr === '' ? parsePrinted(stdout) : status;
  }
  const groups = (...given: Parameters<typeof login>): string | undefined => {
    const result = login(...given);
    return typeof result === 'object' ? result?.ACL_GROUPS : undefined;
  };
  const node = (): string => join(prefix, 'bin/node');
  beforeEach(() => {
    rmSync(node(), { force: true });
    symlinkSync(process.execPath, node());
  });
  /** From now on, starting Node.js ends the launcher with status 75. */
  const trap = (): void => {
    rmSync(node());
    writeFileSync(node(), '#!/bin/sh\nexit 75\n');
    chmodSync(node(), 0o755);
  };

  it('answers the second login without Node.js, with the same environment', () => {
    const first = login();
    trap();
    expect(login()).toEqual(first);
    expect(first).toMatchObject({ ...ALICE, ACL_GROUPS: VALUE, USERDB_KEYS: 'UID acl_groups' });
  });

  /** Changes the lines of an entry. */
  const edit = (change: (lines: string[]) => void, file = join(cache, 'alice')): void => {
    const { atime, mtime } = statSync(file);
    const lines = readFileSync(file, 'utf8').split('\n');
    change(lines);
    writeFileSync(file, lines.join('\n'));
    utimesSync(file, atime, mtime);
  };
  const HUNDREDTHS = 100;
  /** Hundredths of a second since boot. */
  const uptime = (): number => Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]?.replace('.', ''));

  it('is good between two uptimes', () => {
    login();
    trap();
    const hour = 3600 * HUNDREDTHS;
    for (const [from, until, expected] of [
      [-10, 1000, VALUE],
      [-hour, hour, VALUE],
      [-hour, 0, undefined],
      [hour, 2 * hour, undefined],
    ] as const) {
      edit((lines) => {
        lines[2] = `${Math.max(0, uptime() + from)} ${uptime() + until}`;
      });
      expect(groups()).toBe(expected);
    }
  });

  it('is kept for ttl from the start of the launcher', () => {
    const before = uptime();
    login();
    const [from = 0, until = 0] = readFileSync(join(cache, 'alice'), 'utf8').split('\n')[2]?.split(' ').map(Number) ?? [];
    expect(until - from).toBe(30 * HUNDREDTHS);
    expect(from).toBeGreaterThanOrEqual(before);
    expect(from).toBeLessThanOrEqual(uptime());
  });

  it.each([-1, 1])('is neither lost nor kept for longer when the clock jumps by %i hour', (hours) => {
    login();
    trap();
    const jumped = new Date(Date.now() - hours * 3_600_000);
    utimesSync(join(cache, 'alice'), jumped, jumped);
    expect(groups()).toBe(VALUE);
    edit((lines) => {
      lines[2] = `0 ${uptime()}`;
    });
    expect(login()).toBe(75);
  });

  it.each([
    ['boot', 0],
    ['start of process 1', 1],
    ['process that started it', 2],
    ['start of that process', 3],
  ])('is bound to the %s', (_what, index) => {
    login();
    trap();
    expect(groups()).toBe(VALUE);
    edit((lines) => {
      const words = (lines[1] ?? '').split(' ');
      words[index] = (words[index] ?? '').replace(/.$/, (last) => (last === '1' ? '2' : '1'));
      lines[1] = words.join(' ');
    });
    expect(login()).toBe(75);
  });

  it('finds the start of a process whose name has blanks and parentheses', () => {
    const parent = join(prefix, 'bin/a) S 1 (b');
    copyFileSync('/bin/sh', parent);
    const child = [...shell.words, join(prefix, 'bin/acl-groups'), '-D', '2.4', ...options, '/bin/true'];
    const command = [parent, '-c', 'cat /proc/$$/stat; "$@"; exit', 'sh', ...child];
    const { stdout, stderr } = spawnSync('env', ['-i', 'PATH=/usr/bin:/bin', 'USER=alice', ...command], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    expect(stderr).toBe('');
    const [pid] = stdout.split(' ');
    const start = stdout.slice(stdout.lastIndexOf(')') + 2).split(' ')[19];
    expect(stdout).toContain('(a) S 1 (b)');
    expect(readFileSync(join(cache, 'alice'), 'utf8').split('\n')[1]?.split(' ').slice(2)).toEqual([pid, start]);
  });

  it.each(['/proc/uptime', '/proc/1/stat', '/proc/sys/kernel/random/boot_id'])(
    'keeps and uses nothing where %s can not be read',
    (file) => {
      const words = ['-D', '2.4', ...options, ...PRINT_ENVIRONMENT];
      const command = ['env', '-i', 'USER=alice', ...shell.words, join(prefix, 'bin/acl-groups'), ...words];
      const run = (): string =>
        spawnSync('unshare', ['-m', 'sh', '-c', 'mount --bind /dev/null "$0"; exec "$@"', file, ...command], { encoding: 'utf8' }).stdout;
      expect(parsePrinted(run()).ACL_GROUPS).toBe(VALUE);
      expect(readdirSync(cache)).toEqual([]);
      login({ USER: 'alice' });
      trap();
      expect(login({ USER: 'alice' })).not.toBe(75);
      expect(run()).toBe('');
    },
  );

  it('ends when the configuration changes', () => {
    login();
    trap();
    expect(groups()).toBe(VALUE);
    const configuration = options[1] ?? '';
    writeFileSync(configuration, readFileSync(configuration));
    expect(login()).toBe(75);
    age(configuration);
    expect(groups()).toBe(VALUE);
  });

  it('follows no link, neither in the place of the file nor of the directory', () => {
    login();
    trap();
    const elsewhere = join(prefix, 'elsewhere');
    renameSync(join(cache, 'alice'), elsewhere);
    symlinkSync(elsewhere, join(cache, 'alice'));
    expect(login()).toBe(75);
    rmSync(join(cache, 'alice'));
    renameSync(elsewhere, join(cache, 'alice'));
    expect(login()).not.toBe(75);
    renameSync(cache, elsewhere);
    symlinkSync(elsewhere, cache);
    expect(login()).toBe(75);
    rmSync(cache);
    renameSync(elsewhere, cache);
  });

  // Only root can give files away.
  it.runIf(process.getuid?.() === 0).each(['', 'alice'])("leaves what is somebody else's to Node.js: cache/%s", (name) => {
    login();
    trap();
    chownSync(join(cache, name), 65534, 65534);
    expect(login()).toBe(75);
  });

  it('keeps nothing of a configuration by a relative path, which is another one in another directory', () => {
    const inDirectory = (name: string): string | undefined => {
      const directory = join(prefix, name);
      mkdirSync(directory, { recursive: true });
      const config = join(directory, 'relative.toml');
      writeFileSync(config, 'providers = ["file"]\n[provider.file]\npath = "groups"\n', { mode: 0o644 });
      age(config);
      writeFileSync(join(directory, 'groups'), `${name}:::alice\n`, { mode: 0o644 });
      const command = [
        ...shell.words,
        join(prefix, 'bin/acl-groups'),
        '-c',
        'relative.toml',
        '-C',
        cache,
        '-D',
        '2.4',
        ...PRINT_ENVIRONMENT,
      ];
      const { stdout } = spawnSync('env', ['-i', 'USER=alice', 'USERDB_KEYS=', ...command], { encoding: 'utf8', cwd: directory });
      return parsePrinted(stdout).ACL_GROUPS;
    };
    expect([inDirectory('one'), inDirectory('two')]).toEqual(['one', 'two']);
    expect(readdirSync(cache)).toEqual([]);
  });

  it('takes nothing but a file for an entry: a FIFO would hold the login for ever', () => {
    spawnSync('mkfifo', [join(cache, 'alice')]);
    expect(groups()).toBe(VALUE);
  });

  it('answers a user whom nobody knows, and one with a name that is not ASCII', () => {
    const bob = { ...ALICE, USER: 'bob' };
    expect(groups(bob, options)).toBeUndefined();
    writeFileSync(groupFile, 'b\u00fcro:x::carol\n');
    const carol = { ...ALICE, USER: 'carol' };
    expect(groups(carol, options)).toBe('b\u00fcro');
    trap();
    expect([groups(bob, options), groups(carol, options)]).toEqual([undefined, 'b\u00fcro']);
  });

  it.each<[string, Record<string, string>]>([
    ['another user', { ...ALICE, USER: 'bob' }],
    ['a user name with a path in it', { ...ALICE, USER: '../cache/alice' }],
    ['a user name that is a pattern', { ...ALICE, USER: 'alic?' }],
    ['another account', { ...ALICE, SYSTEM_GROUPS_USER: 'alicia' }],
    ['groups of the userdb', { ...ALICE, ACL_GROUPS: 'own' }],
    ['a userdb field that a shell would lose', { ...ALICE, USERDB_KEYS: 'A/B', 'A/B': '1' }],
    ['a userdb field that a shell would change', { ...ALICE, USERDB_KEYS: 'UID IFS', IFS: ',' }],
  ])('leaves %s to Node.js', (_what, env) => {
    login();
    trap();
    expect(login(env)).toBe(75);
  });

  it('leaves other options to Node.js', () => {
    login();
    trap();
    expect(login(ALICE, ['-p', 'unix', ...options])).toBe(75);
    expect(login(ALICE, options.slice(0, 2))).toBe(75);
    expect(login(ALICE, [...options, '--'])).toBe(75);
  });

  it.each([0, 1, 2, 3, 4, 5, 6, 7])('leaves a file that ends after %i lines to Node.js', (lines) => {
    login();
    trap();
    const file = join(cache, 'alice');
    const whole = readFileSync(file, 'utf8').split('\n');
    writeFileSync(
      file,
      whole
        .slice(0, lines)
        .map((line) => `${line}\n`)
        .join(''),
    );
    expect(login()).toBe(75);
  });

  it('takes options in every form', () => {
    const forms = [
      ['-C', cache, ...options.slice(0, 2)],
      [`-C${cache}`, ...options.slice(0, 2), '--'],
      ['--cache-dir', cache, `--config=${options[1]}`],
    ];
    for (const form of forms) {
      expect(groups(ALICE, form)).toBe(VALUE);
      trap();
      expect(groups(ALICE, form)).toBe(VALUE);
      rmSync(node());
      symlinkSync(process.execPath, node());
    }
  });

  it('keeps nothing of a provider that failed', () => {
    rmSync(groupFile);
    expect(login()).toBe(75);
    expect(readdirSync(cache)).toEqual([]);
  });

  it.each([
    ["[{ name: 'a', warning: 'two entries have this name' }]", '.*: group "a" of provider own: two entries have this name'],
    ["[{ name: 'a' }, { name: 'b', skip: 'hidden', incomplete: true }]", '.*: hidden'],
    ["new Promise((resolve) => { Promise.reject(new Error('stray')); setTimeout(() => resolve([{ name: 'a' }]), 9); })", '.*stray.*'],
  ])('keeps nothing of an answer with something missing: %s', (answer, logged) => {
    writeFileSync(
      join(prefix, 'own.mjs'),
      `export default { name: 'own', options: {}, create: () => ({ groups: async () => ${answer} }) };\n`,
    );
    const config = join(prefix, 'own.toml');
    writeFileSync(config, 'providers = ["./own.mjs"]\non_error = "continue"\n', { mode: 0o600 });
    const { status, stdout, stderr } = launchBy(shell, prefix, ['-c', config, '-C', cache, ...PRINT_ENVIRONMENT], ALICE);
    expect(status).toBe(0);
    expect(parsePrinted(stdout).ACL_GROUPS).toBe('a');
    expect(stderr).toMatch(new RegExp(`^acl-groups: (?:warning|error): ${logged}\n$`));
    expect(readdirSync(cache)).toEqual([]);
  });

  it('is not used where others may enter, which is said in the log and costs no login', () => {
    chmodSync(cache, 0o755);
    const { status, stdout, stderr } = launchBy(shell, prefix, ['-D', '2.4', ...options, ...PRINT_ENVIRONMENT], ALICE);
    expect(status).toBe(0);
    expect(parsePrinted(stdout).ACL_GROUPS).toBe(VALUE);
    expect(stderr).toBe(
      `acl-groups: error: --cache-dir ${cache}: not used: its mode is 755, and must be 700; fix it with: install -d -m 700 -o ${process.geteuid?.()} ${cache}\n`,
    );
    expect(readdirSync(cache)).toEqual([]);
  });
});
