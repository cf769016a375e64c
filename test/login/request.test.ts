import { describe, expect, it } from 'vitest';
import { type LoginFacts, loginRequest, subjectOf } from '../../src/login/request.js';
import { UsageError } from '../../src/support/errors.js';

it.each([{ name: 'caf\uFFFD' }, { name: 'x', fields: new Map([['system_groups_user', 'caf\uFFFD']]) }])(
  'refuses names that were not UTF-8: %j',
  (facts) => {
    expect(() => loginRequest({ fields: new Map(), ...facts }, 'full')).toThrow('is not valid UTF-8');
  },
);

it("refuses groups of the userdb that weren't UTF-8, where they aren't handed on byte for byte", () => {
  const facts = { name: 'a', fields: new Map(), otherSpellings: [{ key: 'plugin/acl_groups', value: 'caf\uFFFD' }] };
  expect(() => loginRequest(facts, 'full')).toThrow(new UsageError("the userdb's field plugin/acl_groups is not valid UTF-8"));
});

describe('loginRequest', () => {
  it('refuses more groups of the userdb than one variable holds', () => {
    const given = (bytes: number): LoginFacts => ({
      name: 'alice',
      fields: new Map([['acl_groups', 'a'.repeat(bytes - 14)]]),
      otherSpellings: [{ key: 'acl_groups/a', value: 'no' }],
    });
    expect(loginRequest(given(131_072), 'full').existing).toHaveLength(131_058);
    expect(() => loginRequest(given(131_073), 'full')).toThrow(
      new UsageError('alice: the userdb gave 131073 characters of groups, and 131072 are the most'),
    );
  });

  const account = (name: string, format: 'full' | 'local', systemUser?: string): string =>
    loginRequest({ name, fields: new Map(systemUser === undefined ? [] : [['system_groups_user', systemUser]]) }, format).user.account;

  it('looks up the account that the userdb named, else the user name by user_format', () => {
    expect(account('alice@example.com', 'full')).toBe('alice@example.com');
    expect(account('alice@example.com', 'local')).toBe('alice');
    expect(account('alice', 'local')).toBe('alice');
    expect(account('a@b@c', 'local')).toBe('a');
    expect(account('alice@example.com', 'local', 'system')).toBe('system');
    expect(account('alice', 'full', '')).toBe('alice');
  });

  it("keeps the userdb's groups as they were given", () => {
    const fields = new Map([['acl_groups', ' "a b",%u,, ']]);
    expect(loginRequest({ name: 'a', fields }, 'full').existing).toBe(' "a b",%u,, ');
    expect(loginRequest({ name: 'a', fields: new Map() }, 'full').existing).toBe('');
  });

  it.each([
    ['a\u0000b', ''],
    ['a\nb', ''],
    ['alice', 'a\u0000b'],
    ['a\u0085b', ''],
  ])('refuses control characters in %j or the account %j', (name, systemUser) => {
    expect(() => loginRequest({ name, fields: new Map([['system_groups_user', systemUser]]) }, 'full')).toThrow(
      new UsageError(`the user name "${name}" holds control characters; refuse it in Dovecot: auth_username_chars`),
    );
  });
});

describe('a master user', () => {
  const login = (fields: Readonly<Record<string, string>>): LoginFacts => ({
    name: 'alice@example.com',
    fields: new Map(Object.entries({ system_groups_user: 'alice', master_user: 'admin@example.com', ...fields })),
  });
  const version = (found: '2.3' | '2.4' | undefined) => async () => (found === undefined ? undefined : { version: found });

  it('is looked up by his own account where the login gets his groups', () => {
    expect(loginRequest(login({}), 'local', 'master').user).toMatchObject({ name: 'admin@example.com', account: 'admin' });
    expect(loginRequest(login({}), 'local').user).toMatchObject({ name: 'alice@example.com', account: 'alice' });
  });

  it.each([
    ['2.3', {}, 'master'],
    ['2.4', {}, 'user'],
    [undefined, {}, 'user'],
    ['2.3', { acl_user: 'alice@example.com' }, 'user'],
    ['2.3', { 'plugin/acl_user': 'alice@example.com', acl_user: 'admin@example.com' }, 'user'],
    ['2.3', { master: 'alice@example.com' }, 'master'],
    ['2.4', { acl_user: 'admin@example.com' }, 'master'],
    ['2.4', { 'plugin/acl_user': 'admin@example.com' }, 'user'],
    ['2.4', { master: 'admin@example.com' }, 'master'],
    ['2.4', { master: 'bob@example.com' }, 'user'],
    ['2.4', { acl_user: 'alice@example.com', master: 'admin@example.com' }, 'user'],
  ] as const)('gives a login of %s with %j the groups of the %s', async (found, fields, subject) => {
    expect(await subjectOf(login(fields), 'auto', version(found))).toBe(subject);
    expect(await subjectOf(login(fields), 'user', version(found))).toBe('user');
    expect(await subjectOf(login(fields), 'master', version(found))).toBe('master');
  });
});
