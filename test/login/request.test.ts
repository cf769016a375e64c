import { describe, expect, it } from 'vitest';
import { factsFromEnvironment, loginRequest } from '../../src/login/request.js';
import { UsageError } from '../../src/support/errors.js';

describe('factsFromEnvironment', () => {
  it('reads what script-login sets: the user, the addresses, and the fields that USERDB_KEYS names', () => {
    const facts = factsFromEnvironment({
      USER: 'alice@example.com',
      IP: '192.0.2.1',
      LOCAL_IP: '192.0.2.2',
      USERDB_KEYS: 'HOME UID MISSING ',
      HOME: '/home/alice',
      UID: '1000',
      PATH: '/bin',
    });
    expect(facts).toEqual({
      name: 'alice@example.com',
      remoteIp: '192.0.2.1',
      localIp: '192.0.2.2',
      fields: new Map([
        ['home', '/home/alice'],
        ['uid', '1000'],
      ]),
    });
  });

  it('takes ACL_GROUPS and SYSTEM_GROUPS_USER without their keys as well', () => {
    const { fields } = factsFromEnvironment({ USER: 'a', ACL_GROUPS: 'x,y', SYSTEM_GROUPS_USER: 'alice' });
    expect(fields).toEqual(
      new Map([
        ['acl_groups', 'x,y'],
        ['system_groups_user', 'alice'],
      ]),
    );
  });

  it.each([[{}], [{ USER: '' }]])('refuses %j', (env) => {
    expect(() => factsFromEnvironment(env)).toThrow(
      new UsageError(
        "USER is not set; exec mode runs as an argument of Dovecot's script-login, which sets it (to try it by hand: USER=name acl-groups env)",
      ),
    );
  });
});

it.each([{ name: 'caf\uFFFD' }, { name: 'x', fields: new Map([['system_groups_user', 'caf\uFFFD']]) }])(
  'refuses names that were not UTF-8: %j',
  (facts) => {
    expect(() => loginRequest({ fields: new Map(), ...facts }, 'full')).toThrow('is not valid UTF-8');
  },
);

describe('loginRequest', () => {
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
