import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { layOutCheckout } from '../support/checkout.js';
import { type Ended, launch as launchBy, PRINT_ENVIRONMENT, parsePrinted, SHELLS } from '../support/shells.js';

const USER = userInfo().username;
const GROUPS = execFileSync('id', ['-Gn', USER], { encoding: 'utf8' }).trim().replaceAll(' ', ',');

let prefix: string;
beforeAll(async () => {
  prefix = await layOutCheckout();
});
afterAll(() => rmSync(prefix, { recursive: true, force: true }));

/** What a Node.js that answers with this value does. */
const plan = (value: string): string =>
  `{ printf '%s\\n' - 0 - 0 - ${PRINT_ENVIRONMENT[0]} - '' - '' - '' - '${value}' -; printf '%s\\n-.' .; } >&3`;

describe.each(SHELLS)('the launcher under $name', (sh) => {
  const { name } = sh;
  const [shell = '', ...words] = sh.words;
  const launch = (args: readonly string[], env: Readonly<Record<string, string>> = { USER }, input = ''): Ended =>
    launchBy(sh, prefix, args, env, input);
  const environment = (env: Readonly<Record<string, string>>): Record<string, string> => {
    const { status, stdout, stderr } = launch(PRINT_ENVIRONMENT, env);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    return parsePrinted(stdout);
  };
  /** What this shell leaves behind, as the README says. */
  const remains = name.startsWith('dash') ? [] : ['SHLVL', '_'];
  const withoutRemains = (env: Record<string, string>): Record<string, string> =>
    Object.fromEntries(Object.entries(env).filter(([key]) => !remains.includes(key)));

  it('changes nothing in the environment but ACL_GROUPS and USERDB_KEYS', () => {
    const env = {
      USER,
      USERDB_KEYS: 'UID HOME ',
      UID: '77',
      HOME: '/none',
      IP: '::1',
      NODE_OPTIONS: '--no-such-option',
      IFS: ',',
      TEXT: 'a\nb\n',
    };
    expect(withoutRemains(environment(env))).toEqual({ ...env, USERDB_KEYS: 'UID HOME  acl_groups', ACL_GROUPS: GROUPS });
  });

  it('keeps variables that are no shell variables, such as those of userdb fields with a slash, to the byte', () => {
    const env = { USER, USERDB_KEYS: 'NAMESPACE/INBOX/PREFIX', 'NAMESPACE/INBOX/PREFIX': 'INBOX/\n-\nx "$HOME" \\', '-A.B': '', Z: 'x\n-' };
    expect(environment(env)).toEqual({ ...env, USERDB_KEYS: 'NAMESPACE/INBOX/PREFIX acl_groups', ACL_GROUPS: GROUPS });
  });

  it.each<Readonly<Record<string, string>>>([
    {},
    { USERDB_KEYS: 'UID ', UID: '7' },
    { USERDB_KEYS: 'ACL_GROUPS ACL_GROUPS/A ', ACL_GROUPS: '"a b', 'ACL_GROUPS/A': 'yes' },
    { USERDB_KEYS: 'A/B ', 'A/B': '\n' },
  ])('changes nothing for a user whom no provider knows, with %j', (fields) => {
    const env = { USER: 'no-such-user', ...fields };
    const { status, stdout, stderr } = launch(['-D', '2.4', ...PRINT_ENVIRONMENT], env);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(withoutRemains(parsePrinted(stdout))).toEqual(env);
  });

  it('makes one list of what the userdb gave in several spellings', () => {
    const env = {
      USER,
      USERDB_KEYS: 'UID ACL_GROUPS/NEW PLUGIN/ACL_GROUPS ACL_GROUPS ',
      UID: '7',
      'ACL_GROUPS/NEW': 'yes',
      'PLUGIN/ACL_GROUPS': 'old',
      ACL_GROUPS: 'first',
    };
    const { status, stdout, stderr } = launch(['-D', '2.4', ...PRINT_ENVIRONMENT], env);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(parsePrinted(stdout)).toEqual({ ...env, ACL_GROUPS: `first,new,${GROUPS}`, USERDB_KEYS: 'UID ACL_GROUPS ' });
    const before = launch(['-D', '2.3', ...PRINT_ENVIRONMENT], env);
    expect(parsePrinted(before.stdout)).toEqual({ ...env, ACL_GROUPS: `first,old,${GROUPS}`, USERDB_KEYS: 'UID ACL_GROUPS ' });
  });

  it('keeps what shells and Perl have a use of their own for', () => {
    const names = 'IFS OPTIND PPID PWD OLDPWD PS1 PS4 LINENO RANDOM SECONDS BASH_VERSION UID GROUPS PERL5OPT PERL5LIB ag_plan ag_kept_1';
    const env = { USER, ...Object.fromEntries(names.split(' ').map((name) => [name, '7'])) };
    expect(environment(env)).toEqual({ ...env, USERDB_KEYS: 'acl_groups', ACL_GROUPS: GROUPS });
  });

  it('shows no value of the environment in an argument list', () => {
    const secret = 'c2VjcmV0';
    const env = { USER, USERDB_KEYS: 'CRYPT_PRIVATE_KEY/X', 'CRYPT_PRIVATE_KEY/X': secret, AUTH_TOKEN: secret };
    const trace = join(prefix, 'execs');
    const assignments = Object.entries(env).map(([key, value]) => `${key}=${value}`);
    const traced = [...assignments, 'strace', '-f', '-qq', '-s', '9999', '-e', 'trace=execve', '-o', trace, ...sh.words];
    execFileSync('env', ['-i', 'PATH=/usr/bin:/bin', ...traced, join(prefix, 'bin/acl-groups'), '/bin/true']);
    const execs = readFileSync(trace, 'utf8')
      .split('\n')
      .filter((line) => line.includes('execve('));
    expect(execs.some((line) => line.includes('/perl'))).toBe(true);
    expect(execs.filter((line) => line.includes(secret))).toEqual([]);
  });

  it('denies a login whose environment only Perl could pass on, where there is no Perl', () => {
    const hide = 'for p in /usr/bin/perl /usr/local/bin/perl /bin/perl; do [ ! -e "$p" ] || mount --bind /dev/null "$p"; done';
    const command = [
      'env',
      '-i',
      `USER=${USER}`,
      'USERDB_KEYS=A/B',
      'A/B=1',
      ...sh.words,
      join(prefix, 'bin/acl-groups'),
      '/bin/echo',
      'ran',
    ];
    const { status, stdout, stderr } = spawnSync('unshare', ['-m', 'sh', '-c', `${hide}; exec "$@"`, 'sh', ...command], {
      encoding: 'utf8',
    });
    const what = "the variable A/B can't go through a shell, and there is no /usr/bin/perl to pass it on; login denied";
    const fix = 'install perl, or give Dovecot the groups by the userdb door, which needs none';
    expect({ status, stdout }).toEqual({ status: 69, stdout: '' });
    expect(stderr).toBe(`acl-groups: error: ${what}; ${fix}\n`);
  });

  describe('without procfs', () => {
    const withoutProc = (env: Readonly<Record<string, string>>): Ended => {
      const assignments = Object.entries(env).map(([key, value]) => `${key}=${value}`);
      const command = ['env', '-i', ...assignments, ...sh.words, join(prefix, 'bin/acl-groups'), ...PRINT_ENVIRONMENT];
      const script = 'mount -t tmpfs none /proc; exec "$@"';
      const { status, stdout, stderr } = spawnSync('unshare', ['-m', 'sh', '-c', script, 'sh', ...command], { encoding: 'utf8' });
      return { status, stdout, stderr };
    };

    it('tells Node.js what the login is decided by', () => {
      const env = { USER, USERDB_KEYS: 'UID ', UID: '77', TEXT: 'a\nb', NODE_OPTIONS: '--no-such-option', ACL_GROUPS: 'given' };
      const { status, stdout, stderr } = withoutProc(env);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(parsePrinted(stdout)).toMatchObject({ ...env, ACL_GROUPS: `given,${GROUPS}`, USERDB_KEYS: 'UID  acl_groups' });
    });

    it('denies a login with a field that would be lost', () => {
      const { status, stdout, stderr } = withoutProc({ USER, USERDB_KEYS: 'A/B', 'A/B': '1' });
      expect({ status, stdout }).toEqual({ status: 69, stdout: '' });
      expect(stderr).toBe(
        "acl-groups: error: the userdb's field a/b can't go through a shell, and there is no /proc/PID/environ to read it from; login denied; mount procfs, or give Dovecot the groups by the userdb door\n",
      );
    });
  });

  describe('with a userdb field that', () => {
    /** A directory of programs that say who was run. */
    const trap = (): string => {
      const directory = join(prefix, 'trap');
      mkdirSync(directory, { recursive: true });
      for (const program of ['node', 'readlink', 'perl', 'env', 'getent', 'dovecot', 'true'])
        writeFileSync(join(directory, program), '#!/bin/sh\necho "trapped: $0" >&2\nexit 1\n', { mode: 0o755 });
      return directory;
    };

    it('is called path: decides about no program that is run', () => {
      const env = { USER, USERDB_KEYS: 'PATH A/B', PATH: trap(), 'A/B': '1' };
      expect(environment(env)).toEqual({ ...env, USERDB_KEYS: 'PATH A/B acl_groups', ACL_GROUPS: GROUPS });
      expect(launch(['true'], env)).toEqual({ status: 0, stdout: '', stderr: '' });
    });

    it('is one of those that Node.js or OpenSSL reads: reaches the program, but not Node.js', () => {
      const node = join(prefix, 'bin/node');
      const seen = join(prefix, 'seen');
      writeFileSync(node, `#!/bin/sh\n/usr/bin/env -0 >${seen}\n${plan('a')}\n`, { mode: 0o755 });
      const names =
        'NODE_OPTIONS NODE_PATH OPENSSL_CONF SSL_CERT_FILE LD_LIBRARY_PATH GLIBC_TUNABLES BASH_ENV ENV UV_THREADPOOL_SIZE HOME AUTH_TOKEN';
      const env = { USER, USERDB_KEYS: names, ...Object.fromEntries(names.split(' ').map((key) => [key, '/none'])) };
      const { stdout } = launch(PRINT_ENVIRONMENT, env);
      rmSync(node);
      expect(parsePrinted(stdout)).toMatchObject({ ...env, USERDB_KEYS: `${names} acl_groups`, ACL_GROUPS: 'a' });
      const { PWD, SHLVL, _, ...given } = parsePrinted(readFileSync(seen, 'utf8'));
      expect(given).toEqual({
        PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        ACL_GROUPS_LAUNCHER: expect.stringMatching(/^\d+ 2 environ$/),
        ACL_GROUPS_MOMENT: '',
      });
    });
  });

  it.each([
    ['', 'acl_groups'],
    ['UID', 'UID acl_groups'],
    ['UID ACL_GROUPS ', 'UID ACL_GROUPS '],
    ['Acl_Groups', 'Acl_Groups'],
    ['XACL_GROUPS', 'XACL_GROUPS acl_groups'],
  ])('adds its key to USERDB_KEYS "%s" once, whatever its case', (keys, expected) => {
    expect(environment({ USER, USERDB_KEYS: keys }).USERDB_KEYS).toBe(expected);
  });

  it('adds to the groups that it was given, whatever bytes these are', () => {
    // Node.js can't pass such bytes on, so a shell makes them.
    const program = [...sh.words, join(prefix, 'bin/acl-groups'), ...PRINT_ENVIRONMENT];
    const { stdout, stderr } = spawnSync('sh', ['-c', `exec env -i USER="$0" "ACL_GROUPS=$(printf 'caf\\351,b')" "$@"`, USER, ...program]);
    expect(stderr.toString()).toBe('');
    expect(stdout.toString('latin1').split('\0')).toContain(`ACL_GROUPS=caf\u00e9,b,${GROUPS}`);
  });

  it('keeps its process id, its descriptors and what is to be read from them', () => {
    const files = ['before', 'after'].map((when) => join(prefix, `descriptors-${when}`));
    const [before = '', after = ''] = files;
    for (const file of files) rmSync(file, { force: true });
    // By a process of its own, because a redirection of the shell's would be seen in what it reports.
    const report = `sh -c 'for d in 0 1 2 3; do stat -Lc "%n %i" "/proc/$1/fd/$d"; done >"$0"'`;
    const script = `exec 3<"$0"; ${report} ${before} $$; exec "$@"`;
    const program = ['/bin/sh', '-c', `${report} ${after} $$; cat; cat <&3`];
    const { stdout, stderr } = spawnSync(
      'sh',
      ['-c', script, join(prefix, 'lib/node_modules/acl-groups/package.json'), shell, ...words, join(prefix, 'bin/acl-groups'), ...program],
      { encoding: 'utf8', input: 'pipelined', env: { USER, PATH: '/usr/bin:/bin' } },
    );
    expect(stderr).toBe('');
    expect(readFileSync(after, 'utf8')).toBe(readFileSync(before, 'utf8'));
    expect(readFileSync(after, 'utf8').match(/\/proc\/\d+\/fd\/[0-3] \d+\n/g)).toHaveLength(4);
    expect(stdout.startsWith('pipelined{\n')).toBe(true);
  });

  it.each([
    ['no program', [], { USER }, 64, 'no program to exec; try: acl-groups --help'],
    ['an unknown option', ['-x', '/bin/true'], { USER }, 64, 'unknown option "x"; try: acl-groups --help'],
    [
      'no USER',
      ['/bin/true'],
      {},
      64,
      "USER is not set; exec mode runs as an argument of Dovecot's script-login, which sets it (to try it by hand: USER=name acl-groups env)",
    ],
    [
      'a missing program',
      ['/none/such'],
      { USER },
      69,
      'the program "/none/such" does not exist; fix the service\'s executable line, in which each program is given by its full path',
    ],
    [
      'a program that is a directory',
      ['/etc'],
      { USER },
      69,
      'the program "/etc" is not an executable file; fix the service\'s executable line, in which each program is given by its full path',
    ],
  ] as const)('ends for %s with one line, execs nothing and reads nothing', (_what, args, env, status, message) => {
    const sent = 'x'.repeat(10);
    expect(launch(args, env as Record<string, string>, sent)).toEqual({ status, stdout: '', stderr: `acl-groups: error: ${message}\n` });
  });

  it('passes on as much as a variable can have', () => {
    const names = Array.from({ length: 10_000 }, (_, index) => `group-${index}`);
    const file = join(prefix, 'many');
    writeFileSync(file, names.map((group) => `${group}:::${USER}\n`).join(''), { mode: 0o644 });
    writeFileSync(join(prefix, 'many.toml'), `providers = ["file"]\n[provider.file]\npath = "${file}"\n`, { mode: 0o644 });
    const { status, stdout, stderr } = launch(['-c', join(prefix, 'many.toml'), ...PRINT_ENVIRONMENT]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(parsePrinted(stdout).ACL_GROUPS).toBe(names.join(','));
  });

  it("has nothing of the userdb's secrets where the configuration names stdin", () => {
    const config = join(prefix, 'stdin.toml');
    writeFileSync(config, 'providers = ["file"]\n[provider.file]\npath = "/dev/stdin"\n', { mode: 0o644 });
    const env = { USER, USERDB_KEYS: 'PASS ', PASS: 'hunter2' };
    expect(launch(['-c', config, '/bin/echo', 'ran'], env)).toEqual({
      status: 75,
      stdout: '',
      stderr: `acl-groups: error: ${USER}: provider file failed: file: /dev/stdin: refused: it is a device; name a regular file; login denied (on_error = "deny")\n`,
    });
  });

  it('needs no log', () => {
    const command = ['-i', `USER=${USER}`, shell, ...words, join(prefix, 'bin/acl-groups'), ...PRINT_ENVIRONMENT];
    const { status, stdout } = spawnSync('sh', ['-c', 'exec "$@" 2>&-', 'sh', 'env', ...command], { encoding: 'utf8' });
    expect(status).toBe(0);
    expect(parsePrinted(stdout).ACL_GROUPS).toBe(GROUPS);
  });

  describe('with a third-party provider that', () => {
    const configure = (module: string): string => {
      writeFileSync(join(prefix, 'own.mjs'), `export default { name: 'own', options: {}, create: () => ({ ${module} }) };\n`);
      writeFileSync(join(prefix, 'own.toml'), 'providers = ["./own.mjs"]\n', { mode: 0o600 });
      return join(prefix, 'own.toml');
    };

    it.each([
      ['throws where nobody catches it', 'throw new Error("stray")'],
      ['rejects a promise that nobody waits for', 'Promise.reject(new Error("stray"))'],
    ])('%s: denies by on_error, with one line that names the cause', (_what, stray) => {
      const config = configure(
        `groups: () => new Promise((resolve) => setTimeout(() => { setTimeout(() => resolve([{ name: "staff" }]), 9); ${stray}; }, 1))`,
      );
      const { status, stdout, stderr } = launch(['-c', config, '/bin/echo', 'ran']);
      expect({ status, stdout }).toEqual({ status: 75, stdout: '' });
      const place = `Timeout._onTimeout (${pathToFileURL(join(prefix, 'own.mjs')).href}:1:COLUMN)`;
      expect(stderr.replace(/:1:\d+\)/, ':1:COLUMN)')).toBe(
        `acl-groups: error: ${USER}: an error that no provider caught: stray (at ${place}); login denied (on_error = "deny")\n`,
      );
      writeFileSync(config, 'providers = ["./own.mjs"]\non_error = "continue"\n');
      const going = launch(['-c', config, ...PRINT_ENVIRONMENT]);
      expect(parsePrinted(going.stdout).ACL_GROUPS).toBe('staff');
      expect(going.stderr).toMatch(
        /^acl-groups: error: .*: an error that no provider caught: stray .*; going on without what it was for \(on_error = "continue"\)\n$/,
      );
    });

    it('writes to stdout: its lines are warnings in the log, and nothing else', () => {
      const config = configure(
        "async groups() { console.log('one\\ntwo'); process.stdout.write('th'); process.stdout.write('ree'); return [{ name: 'staff' }]; }",
      );
      const { status, stdout, stderr } = launch(['-c', config, ...PRINT_ENVIRONMENT]);
      expect(status).toBe(0);
      expect(parsePrinted(stdout)).toMatchObject({ ACL_GROUPS: 'staff' });
      expect(stderr).toBe(
        ['one', 'two', 'three'].map((line) => `acl-groups: warning: ${USER}: a provider wrote to stdout: ${line}\n`).join(''),
      );
    });

    it('writes to descriptor 1, itself or by a process: that is in the log', () => {
      writeFileSync(
        join(prefix, 'own.mjs'),
        `import { execFileSync } from 'node:child_process';\nimport { writeSync } from 'node:fs';
export default { name: 'own', options: {}, create: () => ({ async groups() {
  writeSync(1, 'one\\n');
  execFileSync('/bin/echo', ['two'], { stdio: 'inherit' });
  return [{ name: 'staff' }];
} }) };\n`,
      );
      writeFileSync(join(prefix, 'own.toml'), 'providers = ["./own.mjs"]\n', { mode: 0o600 });
      const { status, stdout, stderr } = launch(['-c', join(prefix, 'own.toml'), ...PRINT_ENVIRONMENT]);
      expect({ status, stderr }).toEqual({ status: 0, stderr: 'one\ntwo\n' });
      expect(parsePrinted(stdout)).toMatchObject({ ACL_GROUPS: 'staff' });
    });

    it.each([
      ['loops in its lookup', 'groups() { for (;;); }', 75],
      ['loops in close(), behind its answer', "async groups() { return [{ name: 'staff' }]; }, close() { for (;;); }", 0],
    ])('%s: ends with the time that an answer may take', (_what, module, expected) => {
      const config = configure(module);
      writeFileSync(config, 'providers = ["./own.mjs"]\ntimeout = "2s"\n');
      const { status, stdout, stderr } = launch(['-c', config, '/bin/echo', 'ran']);
      expect({ status, stdout }).toEqual({ status: expected, stdout: expected === 0 ? 'ran\n' : '' });
      // A shell may remark upon the signal.
      expect(stderr).toContain(
        `acl-groups: error: ${USER}: a third-party provider (./own.mjs) has blocked the process for longer than timeout = 2000 ms; the process is terminated\n`,
      );
    });

    it('loops while it is loaded: ends with the time that an answer may take', () => {
      const config = configure('');
      writeFileSync(join(prefix, 'own.mjs'), 'for (;;);');
      writeFileSync(config, 'providers = ["./own.mjs"]\ntimeout = "2s"\n');
      const { status, stdout } = launch(['-c', config, '/bin/echo', 'ran']);
      expect({ status, stdout }).toEqual({ status: 75, stdout: '' });
    });

    it('answers with names instead of groups: is no answer', () => {
      const config = configure("groups: async () => ['staff']");
      const { status, stdout, stderr } = launch(['-c', config, '/bin/echo', 'ran']);
      expect({ status, stdout }).toEqual({ status: 75, stdout: '' });
      expect(stderr).toContain('provider own failed: own: answered with something other than undefined or a list of groups');
    });
  });

  it('is found by a relative path, and takes the node of the PATH before those of the system', () => {
    const bin = join(prefix, 'path');
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, 'node'), `#!/bin/sh\n${plan('of-the-path')}\n`, { mode: 0o755 });
    const package_ = 'lib/node_modules/acl-groups/native-free/acl-groups';
    // A copy that nobody installed, as deep below / as would lead to /bin/node by the way of a prefix.
    const checkout = mkdtempSync('/tmp/');
    mkdirSync(join(checkout, 'native-free'));
    copyFileSync(join(prefix, package_), join(checkout, 'native-free/acl-groups'));
    const env = { USER, PATH: `${bin}:/usr/bin:/bin` };
    const run = (cwd: string, file: string): string =>
      spawnSync(shell, [...words, file, ...PRINT_ENVIRONMENT], { cwd, env, encoding: 'utf8' }).stdout;
    expect(parsePrinted(run(checkout, 'native-free/acl-groups')).ACL_GROUPS).toBe('of-the-path');
    expect(parsePrinted(run(prefix, 'bin/acl-groups')).ACL_GROUPS).toBe('of-the-path');
    rmSync(checkout, { recursive: true });
    rmSync(bin, { recursive: true });
  });

  it.each([
    ["npm's", 'lib/node_modules/acl-groups'],
    ["Debian's", 'lib/acl-groups'],
  ])('finds the package behind %s link without a process for it', (_whose, directory) => {
    const root = mkdtempSync('/tmp/');
    for (const path of ['bin', `${directory}/native-free`]) mkdirSync(join(root, path), { recursive: true });
    copyFileSync(join(prefix, 'lib/node_modules/acl-groups/native-free/acl-groups'), join(root, directory, 'native-free/acl-groups'));
    symlinkSync(`../${directory}/native-free/acl-groups`, join(root, 'bin/acl-groups'));
    const trace = join(root, 'trace');
    const traced = ['-f', '-qq', '-s', '999', '-e', 'trace=execve', '-o', trace, ...sh.words, join(root, 'bin/acl-groups'), '--version'];
    spawnSync('strace', traced, { env: { PATH: '/usr/bin:/bin' } });
    const execs = readFileSync(trace, 'utf8').match(/execve\("[^\n]*/g) ?? [];
    // There is no program, so Node.js ends; it was told where the package is.
    expect(execs).toHaveLength(2);
    expect(execs[1]).toContain(`${root}/bin/../${directory}/dist/acl-groups.cjs`);
    rmSync(root, { recursive: true });
  });

  describe('with a Node.js that', () => {
    const node = (): string => join(prefix, 'bin/node');
    const behave = (script: string): void => {
      writeFileSync(node(), `#!/bin/sh\n${script}\n`);
      chmodSync(node(), 0o755);
    };
    afterAll(() => rmSync(node(), { force: true }));

    it.each([
      ['is killed', 'kill -KILL $$', (path: string) => `${path} ended with status 137 before it had an answer`],
      ['fails', 'exit 3', (path: string) => `${path} ended with status 3 before it had an answer`],
      ['says nothing', 'exit 0', (path: string) => `${path} ended with status 0 before it had an answer`],
      [
        'is cut off',
        'printf "%s\\n" - 0 - 0 - /bin/true - "" - "" - "" - a,b - >&3',
        (path: string) => `${path} ended with status 0 before it had an answer`,
      ],
      [
        'is cut off inside the groups',
        '{ printf "%s\\n" - 0 - 0 - /bin/true - "" - "" - "" -; printf acct; } >&3',
        (path: string) => `${path} ended with status 0 before it had an answer`,
      ],
    ])('%s: execs nothing, and says so', (_what, script, message) => {
      behave(script);
      const { status, stdout, stderr } = launch(['/bin/echo', 'ran']);
      expect({ status, stdout }).toEqual({ status: 75, stdout: '' });
      // A shell may remark upon the signal first.
      expect(stderr.split('\n').at(-2)).toBe(`acl-groups: error: ${message(join(prefix, 'bin/node'))}`);
    });

    // Root could lift the limit.
    it.runIf(process.getuid?.() === 0).each([
      ['no limit', []],
      ['one', ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']],
    ])("has none of the client's descriptors, under %s", (what, user) => {
      const held = join(prefix, 'bin/descriptors');
      behave(`ls -l /proc/self/fd >${held}; ${plan('a')}`);
      const client = join(prefix, 'client');
      for (const file of [client, held]) writeFileSync(file, '');
      chmodSync(held, 0o666);
      execFileSync('chmod', ['-R', 'a+rX', prefix]);
      const script = `exec 0<"$1" 1>>"$1" 3<"$1"; shift; ${what === 'one' ? 'ulimit -v 262144;' : ''} exec "$@"`;
      const command = [...user, shell, ...words, join(prefix, 'bin/acl-groups'), '/bin/true'];
      const { status, stderr } = spawnSync('sh', ['-c', script, 'sh', client, ...command], { env: { USER }, encoding: 'utf8' });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      const links = readFileSync(held, 'utf8');
      expect(links).toMatch(/ 0 -> \/proc\/\d+\/environ\n/);
      expect(links).not.toContain(client);
    });

    it('is the one of the prefix: it comes before any other', () => {
      behave(plan('of-the-prefix'));
      expect(environment({ USER }).ACL_GROUPS).toBe('of-the-prefix');
    });

    it('has a plan that is cut off behind the full stop of a value: ends with 75', () => {
      behave('{ printf "%s\\n" - 0 - 0 - /usr/bin/env - "" - "" - "" -; printf .; } >&3; kill -KILL $$');
      expect(launch(PRINT_ENVIRONMENT)).toMatchObject({ status: 75, stdout: '' });
    });

    it('has a whole plan: uses it, however the process ended', () => {
      behave('{ printf "%s\\n" -- 0 -- 0 -- /usr/bin/env -- "" -- "" -- "" -- "a" "-" "b" --; printf "%s\\n--." .; } >&3; kill -PIPE $$');
      expect(launch(PRINT_ENVIRONMENT).stdout.split('\0')).toContain('ACL_GROUPS=a\n-\nb');
    });

    it('is a link to nowhere: takes another one', () => {
      rmSync(node(), { force: true });
      symlinkSync('/none', node());
      expect(launch(['/bin/true'])).toEqual({ status: 0, stdout: '', stderr: '' });
    });
  });
});
