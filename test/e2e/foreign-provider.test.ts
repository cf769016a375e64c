import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startDovecot, VERSIONS } from '../support/dovecot.js';
import { serveBlock, servicePid } from '../support/serve.js';
import { openWorld, type RunResult, type World } from '../support/world.js';

const run = promisify(execFile);
const OURS = fileURLToPath(new URL('../../node_modules', import.meta.url));

/** What somebody else would write, knowing only the installed package. */
const PROVIDER = `
import { ConfigError, defineProvider, type Group, type LoginUser, option, type ProviderDefinition, ProviderError, type Schema } from 'acl-groups';

export interface RosterOptions {
  readonly people: Readonly<Record<string, readonly string[]>>;
  readonly broken: boolean;
}

function schema<T>(validate: (value: unknown) => T | undefined, message: string): Schema<T> {
  return {
    '~standard': {
      version: 1,
      vendor: 'roster',
      validate: (given) => {
        const value = validate(given);
        return value === undefined ? { issues: [{ message }] } : { value };
      },
    },
  };
}

const isRoster = (value: unknown): value is RosterOptions['people'] => typeof value === 'object' && value !== null;

const roster: ProviderDefinition<RosterOptions> = defineProvider({
  name: 'roster',
  description: 'people and their groups, in the configuration itself',
  options: {
    people: option(schema((value) => (value === undefined ? {} : isRoster(value) ? value : undefined), 'expected lists by name'), 'groups by name'),
    broken: option(schema((value) => (value === undefined ? false : typeof value === 'boolean' ? value : undefined), 'expected true or false'), 'fails'),
  },
  create: ({ people, broken }, { log, directory }) => {
    if (Object.hasOwn(people, 'root')) throw new ConfigError('root is in no roster; take him out');
    log.debug('the roster starts in ' + directory);
    return {
      async groups({ name }: LoginUser, signal: AbortSignal): Promise<readonly Group[] | undefined> {
        signal.throwIfAborted();
        if (broken) throw new ProviderError('roster', 'the roster is lost');
        return Object.hasOwn(people, name) ? people[name]?.map((group) => ({ name: group })) : undefined;
      },
    };
  },
});
export default roster;
`;

const CONTRACT = `
import { test } from 'node:test';
import { AWKWARD_NAMES, contractCases, loginUser } from 'acl-groups/contract';
import type { ProviderContext } from 'acl-groups';
import roster from './roster.js';

const silent = (): void => {};
const context: ProviderContext = { directory: '/', log: { debug: silent, info: silent, warning: silent, error: silent } };
const people = { alice: AWKWARD_NAMES, bob: [] };
const cases = contractCases({
  open: () => roster.create({ people, broken: false }, context),
  openBroken: () => roster.create({ people, broken: true }, context),
  users: Object.entries(people).map(([name, groups]) => ({ user: loginUser(name), groups })),
  stranger: loginUser('mallory'),
});
for (const { name, run } of cases) test(name, run);
`;

let directory: string;
let world: World;
const outside = (...path: readonly string[]): string => join(directory, ...path);

beforeAll(async () => {
  world = await openWorld({ version: '2.3' });
  directory = await mkdtemp(join(tmpdir(), 'acl-groups-foreign-'));
  await writeFile(outside('package.json'), JSON.stringify({ name: 'outsider', type: 'module', private: true }));
  const tarball = join(inject('installed')['2.3'].prefix, '../package.tgz');
  await run('npm', ['install', '--offline', '--omit=optional', '--no-save', tarball], { cwd: directory });
  await writeFile(outside('roster.ts'), PROVIDER);
  await writeFile(outside('contract.test.ts'), CONTRACT);
  const compilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    target: 'es2023',
    module: 'nodenext',
    types: ['node'],
    typeRoots: [join(OURS, '@types')],
  };
  await writeFile(outside('tsconfig.json'), JSON.stringify({ compilerOptions, files: ['roster.ts', 'contract.test.ts'] }));
});
afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
  await world.close();
});

/** Runs a program to its end, whatever that is, where no account is called alice. */
const attempt = (...argv: readonly string[]): Promise<RunResult> => world.run(argv, { cwd: directory });

/** Looks a user up with a configuration, by the outsider's own acl-groups. */
async function lookup(toml: string, user = 'alice'): Promise<RunResult> {
  await writeFile(outside('config.toml'), toml, { mode: 0o644 });
  return attempt(outside('node_modules/.bin/acl-groups'), 'lookup', '-j', '-D', '2.4', '-c', outside('config.toml'), user);
}

const PEOPLE = '[provider.roster]\npeople = { alice = ["Domain Users", "staff"] }\n';

describe('a provider of somebody else', () => {
  it("compiles against the package's types, with the strictest settings and library checks on", async () => {
    expect(await attempt(process.execPath, join(OURS, 'typescript/bin/tsc'), '-p', directory)).toEqual({
      status: 0,
      signal: null,
      stdout: '',
      stderr: '',
    });
  });

  it("passes the contract in the outsider's own test runner", async () => {
    const { status, stdout } = await attempt(process.execPath, '--test', '--test-reporter=tap', 'contract.test.js');
    expect(stdout).toMatch(/^# fail 0$/m);
    expect(status).toBe(0);
    expect(Number(/^# pass (\d+)$/m.exec(stdout)?.[1])).toBeGreaterThanOrEqual(10);
  });

  it('is found by its path, from the directory of the configuration', async () => {
    const { status, stdout, stderr } = await lookup(`providers = ["./roster.js"]\n${PEOPLE}`);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ acl_groups: '"Domain Users",staff', providers: [{ name: 'roster', outcome: 'found' }] });
  });

  it('is found by its package name, beside acl-groups', async () => {
    const home = outside('node_modules/@outsider/roster');
    await mkdir(home, { recursive: true });
    await cp(outside('roster.js'), join(home, 'index.js'));
    await writeFile(join(home, 'package.json'), JSON.stringify({ name: '@outsider/roster', type: 'module', exports: './index.js' }));
    const { status, stdout } = await lookup(`providers = ["unix", "@outsider/roster"]\n${PEOPLE}`);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      groups: [
        { name: 'Domain Users', provider: 'roster' },
        { name: 'staff', provider: 'roster' },
      ],
      providers: [
        { name: 'unix', outcome: 'unknown-user' },
        { name: 'roster', outcome: 'found' },
      ],
    });
  });

  it('works as the README has it, in a folder that knows no packages', async () => {
    const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
    const [, name = '', module = ''] = /```js\n\/\/ \/etc\/dovecot\/(\S+)\n(.*?)```/s.exec(readme) ?? [];
    const folder = await mkdtemp(join(tmpdir(), 'acl-groups-foreign-'));
    await writeFile(join(folder, name), module);
    const { status, stdout, stderr } = await lookup(`providers = ["unix", "${folder}/${name}"]\n`, 'sales-bob');
    await rm(folder, { recursive: true });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ acl_groups: 'sales' });
  });

  it('fails like a built-in one: 75, with its own message', async () => {
    const { status, stdout } = await lookup('providers = ["./roster.js"]\n[provider.roster]\nbroken = true\n');
    expect(status).toBe(75);
    expect(JSON.parse(stdout)).toMatchObject({ providers: [{ name: 'roster', outcome: 'error', error: 'roster: the roster is lost' }] });
  });
});

it('may be left out by --providers, with its table in the file', async () => {
  await writeFile(outside('config.toml'), `providers = ["./roster.js"]\n${PEOPLE}`, { mode: 0o644 });
  const command = outside('node_modules/.bin/acl-groups');
  const words = ['lookup', '-j', '-c', outside('config.toml'), '-p'];
  const { status, stdout, stderr } = await attempt(command, ...words, 'unix', 'root');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(JSON.parse(stdout)).toMatchObject({ providers: [{ name: 'unix', outcome: 'found' }] });
  const message = `--providers: "unxi": unknown provider; there are unix, ldap, file, or give a module's path or package name`;
  expect(await attempt(command, ...words, 'unxi', 'root')).toMatchObject({ status: 78, stderr: `acl-groups: error: ${message}\n` });
});

describe('what goes wrong with providers is told apart', () => {
  const importing = join(tmpdir(), `acl-groups-importing-${process.pid}.mjs`);
  afterAll(() => rm(importing));
  beforeAll(async () => {
    await writeFile(outside('needy.mjs'), "import 'roster-helpers';\nexport default {};\n");
    await writeFile(importing, "import { defineProvider } from 'acl-groups';\nexport default defineProvider({});\n");
    await writeFile(outside('empty.mjs'), 'export default { name: "empty" };\n');
    await writeFile(outside('broken.mjs'), 'export default {;\n');
    await cp(outside('roster.js'), outside('second roster.js'));
  });

  it.each([
    [
      'an unknown one',
      '["unxi"]',
      'providers: "unxi": unknown provider; there are unix, ldap, file, or give a module\'s path or package name',
    ],
    [
      'a package that is not there',
      '["@outsider/missing"]',
      'providers: "@outsider/missing": not installed: install it beside acl-groups: npm install --global @outsider/missing (built in are unix, ldap, file)',
    ],
    ['a file without its ./', '["roster.js"]', 'providers: "roster.js": not installed: a file\'s path starts with ./ or /: "./roster.js"'],
    ['a file that is not there', '["./missing.js"]', 'providers: "./missing.js": not installed: there is no such file'],
    ['one twice', '["unix", "file", "unix"]', 'providers: "unix" is given twice; leave one of them out'],
    [
      'two of one name',
      '["./roster.js", "./second roster.js"]',
      'providers: "./roster.js" and "./second roster.js" are both called "roster"; leave one of them out',
    ],
    [
      'a missing dependency',
      '["./needy.mjs"]',
      /providers: "\.\/needy\.mjs": the module fails to load: Cannot find package 'roster-helpers' imported from /,
    ],
    [
      'a module that can not see the package',
      `["${importing}"]`,
      /the module fails to load: Cannot find package 'acl-groups' imported from .*; install acl-groups there, or do without the import: defineProvider\(\) only adds types\n$/,
    ],
    ['a module that does not parse', '["./broken.mjs"]', /providers: "\.\/broken\.mjs": the module fails to load: /],
    [
      'a module that is no provider',
      '["./empty.mjs"]',
      'providers: "./empty.mjs": the module\'s default export is no provider; write it with defineProvider() from "acl-groups"',
    ],
    [
      'options that contradict each other',
      '["./roster.js"]\n[provider.roster]\npeople = { root = [] }',
      '[provider.roster]: root is in no roster; take him out',
    ],
    ['an option of the wrong type', '["./roster.js"]\n[provider.roster]\npeople = 1', '[provider.roster]: people: expected lists by name'],
    [
      'an unknown option',
      '["./roster.js"]\n[provider.roster]\npeopel = {}',
      '[provider.roster]: unknown key "peopel"; allowed are people, broken',
    ],
    [
      'a table of no provider',
      '["./roster.js"]\n[provider.rooster]',
      '[provider.rooster]: no provider has this name; there are unix, ldap, file, roster',
    ],
  ])('%s', async (_, toml, message) => {
    const { status, stdout, stderr } = await lookup(`providers = ${toml}\n`);
    expect({ status, stdout }).toEqual({ status: 78, stdout: '' });
    const start = `acl-groups: error: ${outside('config.toml')}: `;
    if (typeof message === 'string') expect(stderr).toBe(`${start}${message}\n`);
    else expect(stderr.slice(start.length)).toMatch(message);
  });
});

/** Does to each user what his name says, and gives all others the group staff. */
const ODD = `
export default {
  name: 'odd',
  description: 'odd',
  options: {},
  create: (_, { log }) => ({
    async groups({ name }) {
      if (name === 'loop') {
        log.info('loop is looked up');
        for (;;);
      }
      if (name === 'exit') process.exit(3);
      if (name === 'print') console.log('printed');
      if (name === 'stray') void Promise.reject(new Error('nobody waits'));
      return [{ name: 'staff' }];
    },
  }),
};
`;

describe.each(VERSIONS)('a faulty provider in the service, under Dovecot %s', (version) => {
  const users = ['alice', 'bob', 'carol', 'loop', 'exit', 'print', 'stray'];

  it('costs the logins that it fails for, and no others', async () => {
    const dovecot = await startDovecot({
      version,
      virtualUsers: users.map((name) => ({ name })),
      etc: { 'odd.mjs': ODD, 'acl-groups.toml': 'providers = ["./odd.mjs"]\ntimeout = "3s"\n' },
      postLoginSocket: 'acl-groups',
      config: serveBlock(version, inject('installed')[version].command),
    });
    try {
      expect(await dovecot.groupsOf('alice')).toEqual(['staff']);
      const pid = await servicePid(dovecot);

      const looping = await dovecot.imap();
      looping.write('a1 LOGIN loop secret\r\n');
      await dovecot.log.wait(/acl-groups: Info: loop is looked up$/);
      // Who is in the cache doesn't wait, and who comes a second later is asked again in the next thread.
      expect(await dovecot.groupsOf('alice')).toEqual(['staff']);
      await new Promise((resolve) => setTimeout(resolve, 1000));
      const waits = dovecot.groupsOf('bob');
      expect(await dovecot.log.wait(/acl-groups: Error: loop: /)).toMatch(
        /: provider odd failed: odd: no answer within \d+ ms; login denied \(on_error = "deny"\)$/,
      );
      expect(await waits).toEqual(['staff']);
      expect(await dovecot.log.wait(/acl-groups: Error: provider odd: the lookup /)).toMatch(
        /: provider odd: the lookup of loop blocked its thread, which was terminated; a new one answers the lookup that was in it$/,
      );
      expect(await dovecot.groupsOf('carol')).toEqual(['staff']);

      expect(await dovecot.groupsOf('print')).toEqual(['staff']);
      await dovecot.log.wait(/acl-groups: Warning: provider odd wrote to standard output: printed$/);
      expect(await dovecot.groupsOf('stray')).toEqual(['staff']);
      await dovecot.log.wait(/acl-groups: Error: provider odd: a promise that it does not wait for was rejected: nobody waits \(at /);
      const leaving = await dovecot.imap();
      leaving.write('a1 LOGIN exit secret\r\n');
      expect(await dovecot.log.wait(/acl-groups: Error: exit: /)).toMatch(
        /: provider odd failed: odd: its thread ended, for the second time under this lookup; login denied \(on_error = "deny"\)$/,
      );
      await dovecot.log.wait(/acl-groups: Error: provider odd: its thread ended: its code called process\.exit\(3\); a new one answers /);

      expect(await servicePid(dovecot)).toBe(pid);
    } finally {
      await dovecot.stop();
    }
    expect(dovecot.log.lines.filter((line) => /killed with signal|does not let go/.test(line))).toEqual([]);
  });
});
