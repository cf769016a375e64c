import { describe, expect, it } from 'vitest';
import { ConfigError, UsageError } from '../../src/support/errors.js';
import { runCommand, testDirectory } from '../support/command.js';

const directory = testDirectory();

/** A provider that answers by what the user is called. */
directory.write(
  'scripted.mjs',
  `export default {
  name: 'scripted',
  description: 'answers by the name',
  options: {},
  create: () => ({
    async groups({ name }) {
      if (name.startsWith('fail')) throw new Error('no such luck');
      if (name.startsWith('nobody')) return undefined;
      if (name === 'plain') return [{ name: 'staff', gid: 50 }, { name: 'Benutzer', dn: 'cn=Benutzer,o=x' }];
      return [{ name: 'staff', gid: 50, secret: 'x' }, { name: 'Domain Users' }, { name: 'x,y' }, { name: 'left' }, { name: '77', gid: 77, skip: 'gid 77 has no name' }];
    },
  }),
};`,
);
directory.write(
  'second.mjs',
  "export default { name: 'second', description: 'knows nobody2', options: {}, create: () => ({ groups: async ({ name }) => name === 'nobody2' ? [] : undefined }) };",
);
const config = directory.write('config.toml', 'providers = ["./scripted.mjs"]\n[groups]\nexclude = ["left"]\n');
const two = directory.write('two.toml', 'providers = ["./scripted.mjs", "./second.mjs"]\n');
const lenient = directory.write('lenient.toml', 'providers = ["./scripted.mjs"]\non_error = "continue"\n');

/** Times differ from run to run. */
const untimed = (text: string): string => text.replace(/ +\d+\.\d ms/g, '  0.0 ms').replace(/"elapsed_ms":[\d.]+/g, '"elapsed_ms":0');

describe('lookup --json', () => {
  it('prints one object a line for each user, with the keys of the contract', async () => {
    const { status, stdout } = await runCommand('lookup', '-j', '-c', config, '-D', '2.4', 'plain', 'alice');
    expect(status).toBe(0);
    expect(untimed(stdout)).toBe(
      `${JSON.stringify({
        user: 'plain',
        dovecot: null,
        acl_groups: 'staff,Benutzer',
        groups: [
          { name: 'staff', provider: 'scripted', gid: 50 },
          { name: 'Benutzer', provider: 'scripted', dn: 'cn=Benutzer,o=x' },
        ],
        skipped: [],
        providers: [{ name: 'scripted', outcome: 'found', elapsed_ms: 0 }],
      })}\n${JSON.stringify({
        user: 'alice',
        dovecot: '2.4',
        acl_groups: 'staff,"Domain Users","x,y"',
        groups: [
          { name: 'staff', provider: 'scripted', gid: 50 },
          { name: 'Domain Users', provider: 'scripted' },
          { name: 'x,y', provider: 'scripted' },
        ],
        skipped: [
          { name: 'left', provider: 'scripted', reason: '[groups] exclude has "left"' },
          { name: '77', provider: 'scripted', reason: 'gid 77 has no name' },
        ],
        providers: [{ name: 'scripted', outcome: 'found', elapsed_ms: 0 }],
      })}\n`,
    );
  });

  it('tells a failure from an unknown user', async () => {
    const { stdout } = await runCommand('lookup', '--json', '-c', config, 'nobody', 'fail');
    const [unknown, failed] = stdout.split('\n').map((line) => (line === '' ? undefined : JSON.parse(line)));
    // No door sets anything for either.
    expect(unknown).toMatchObject({ acl_groups: null, providers: [{ name: 'scripted', outcome: 'unknown-user' }] });
    expect(failed).toMatchObject({ acl_groups: null, providers: [{ name: 'scripted', outcome: 'error', error: 'no such luck' }] });
  });
});

describe('the exit status of lookup', () => {
  it.each([
    [0, config, ['alice']],
    [0, config, ['plain', 'alice']],
    [67, config, ['nobody']],
    [67, config, ['nobody', 'alice']],
    [75, config, ['fail']],
    [75, config, ['fail', 'nobody', 'alice']],
    [75, config, ['nobody', 'fail']],
    [0, two, ['nobody2']],
    [67, two, ['nobody']],
    [75, two, ['fail']],
    [0, lenient, ['fail']],
    [67, lenient, ['fail', 'nobody']],
  ])('is %i with %s for %j', async (status, file, users) => {
    expect((await runCommand('lookup', '-c', file, ...users)).status).toBe(status);
  });

  it('is 64 without a user, and for a name with control characters: then nobody is looked up', async () => {
    await expect(runCommand('lookup', '-c', config)).rejects.toThrow(
      new UsageError('lookup needs at least one user; try: acl-groups --help'),
    );
    await expect(runCommand('lookup', '-c', config, 'alice', 'a\tb')).rejects.toThrow(UsageError);
  });

  it('is 78 for a configuration that can not be used', async () => {
    await expect(runCommand('lookup', '-c', `${directory.path}/missing.toml`, 'alice')).rejects.toThrow(ConfigError);
  });
});

describe('lookup for people', () => {
  it('shows who said what, the groups, what was skipped and why, the value and the version', async () => {
    const { stdout } = await runCommand('lookup', '-c', config, '-D', '2.3', 'alice');
    expect(untimed(stdout)).toBe(`alice
  provider  says   in
  scripted  found  0.0 ms

  group         from
  staff         scripted  gid 50
  Domain Users  scripted

  skipped  from      because
  left     scripted  [groups] exclude has "left"
  77       scripted  gid 77 has no name
  x,y      scripted  Dovecot 2.3 takes a comma as the end of a name; rename it in [groups] or at its source

  acl_groups  staff,Domain Users
  Dovecot     2.3, by -D

`);
  });

  it('says that nothing is set for an unknown user, where a known one without groups gets an empty value', async () => {
    const { stdout } = await runCommand('lookup', '-c', two, 'nobody', 'nobody2');
    expect(untimed(stdout)).toBe(`nobody
  provider  says          in
  scripted  unknown-user  0.0 ms
  second    unknown-user  0.0 ms

  acl_groups  not set: no provider knows this user, who logs in without groups

nobody2
  provider  says          in
  scripted  unknown-user  0.0 ms
  second    found  0.0 ms

  acl_groups  (empty)
  Dovecot     any version: no name needs quoting

`);
  });

  it('says that a failure denies the login', async () => {
    const { stdout } = await runCommand('lookup', '-c', config, 'fail');
    expect(untimed(stdout)).toBe(`fail
  provider  says   in
  scripted  error  0.0 ms  no such luck

  login  denied, because a provider failed (on_error = "deny")

`);
  });
});
