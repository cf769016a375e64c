import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
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

  it('keeps variables that are no shell variables, such as those of userdb fields with a slash', () => {
    const env = { USER, USERDB_KEYS: 'NAMESPACE/INBOX/PREFIX', 'NAMESPACE/INBOX/PREFIX': 'INBOX/\n-\nx "$HOME" \\', '-A.B': '' };
    expect(withoutRemains(environment(env))).toEqual({
      ...env,
      USERDB_KEYS: 'NAMESPACE/INBOX/PREFIX acl_groups',
      ACL_GROUPS: GROUPS,
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
      'the program "/none/such" does not exist; mend the service\'s executable line, in which each program is given by its full path',
    ],
    [
      'a program that is a directory',
      ['/etc'],
      { USER },
      69,
      'the program "/etc" is not an executable file; mend the service\'s executable line, in which each program is given by its full path',
    ],
  ] as const)('ends for %s with one line, execs nothing and reads nothing', (_what, args, env, status, message) => {
    const sent = 'x'.repeat(10);
    expect(launch(args, env as Record<string, string>, sent)).toEqual({ status, stdout: '', stderr: `acl-groups: error: ${message}\n` });
  });

  describe('with a provider of somebody else that', () => {
    const configure = (module: string): string => {
      writeFileSync(join(prefix, 'own.mjs'), `export default { name: 'own', options: {}, create: () => ({ ${module} }) };\n`);
      writeFileSync(join(prefix, 'own.toml'), 'providers = ["./own.mjs"]\n', { mode: 0o600 });
      return join(prefix, 'own.toml');
    };

    it('throws where nobody catches it: says so in one line, and execs nothing', () => {
      const config = configure("groups: () => new Promise(() => setTimeout(() => { throw new Error('stray'); }, 1))");
      const { status, stdout, stderr } = launch(['-c', config, '/bin/echo', 'ran']);
      expect({ status, stdout }).toEqual({ status: 75, stdout: '' });
      expect(stderr).toMatch(/^acl-groups: error: unexpected error, please report it: Error: stray\\u\{a\}.*\n$/);
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
    writeFileSync(join(bin, 'node'), '#!/bin/sh\nprintf "%s\\n" - 0 - 0 - "" - of-the-path -; printf .\n', { mode: 0o755 });
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
      ['is cut off', 'printf "%s\\n" - 0 - 0 - "" - a,b -', (path: string) => `${path} ended with status 0 before it had an answer`],
      [
        'is cut off inside the groups',
        'printf "%s\\n" - 0 - 0 - "" -; printf acct',
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
      behave(`ls -l /proc/self/fd >${held}; printf "%s\\n" - 0 - 0 - "" - a -; printf .`);
      const client = join(prefix, 'client');
      for (const file of [client, held]) writeFileSync(file, '');
      chmodSync(held, 0o666);
      execFileSync('chmod', ['-R', 'a+rX', prefix]);
      const script = `exec 0<"$1" 1>>"$1" 3<"$1"; shift; ${what === 'one' ? 'ulimit -v 262144;' : ''} exec "$@"`;
      const command = [...user, shell, ...words, join(prefix, 'bin/acl-groups'), '/bin/true'];
      const { status, stderr } = spawnSync('sh', ['-c', script, 'sh', client, ...command], { env: { USER }, encoding: 'utf8' });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      const links = readFileSync(held, 'utf8');
      expect(links).toContain('0 -> /dev/null');
      expect(links).not.toContain(client);
    });

    it('is the one of the prefix: it comes before any other', () => {
      behave('printf "%s\\n" - 0 - 0 - "" - of-the-prefix -; printf .');
      expect(environment({ USER }).ACL_GROUPS).toBe('of-the-prefix');
    });

    it('has a whole plan: uses it, however the process ended', () => {
      behave('printf "%s\\n" -- 0 -- 0 -- "" -- "a" "-" "b" --; printf .; kill -PIPE $$');
      expect(launch(PRINT_ENVIRONMENT).stdout.split('\0')).toContain('ACL_GROUPS=a\n-\nb');
    });

    it('is a link to nowhere: takes another one', () => {
      rmSync(node(), { force: true });
      symlinkSync('/none', node());
      expect(launch(['/bin/true'])).toEqual({ status: 0, stdout: '', stderr: '' });
    });
  });
});
