import { describe, expect, it } from 'vitest';
import { type Environment, factsFromEnvironment, keysWithoutSpellings, parseEnvironment, textOf } from '../../src/exec/environment.js';
import { UsageError } from '../../src/support/errors.js';

const environmentOf = (variables: Readonly<Record<string, string>>): Environment => new Map(Object.entries(variables));

describe('factsFromEnvironment', () => {
  it('reads what script-login sets: the user, the addresses, and the fields that USERDB_KEYS names', () => {
    const facts = factsFromEnvironment(
      environmentOf({
        USER: 'alice@example.com',
        IP: '192.0.2.1',
        LOCAL_IP: '192.0.2.2',
        USERDB_KEYS: 'HOME UID MISSING ',
        HOME: '/home/alice',
        UID: '1000',
        PATH: '/bin',
      }),
    );
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
    const { fields } = factsFromEnvironment(environmentOf({ USER: 'a', ACL_GROUPS: 'x,y', SYSTEM_GROUPS_USER: 'alice' }));
    expect(fields).toEqual(
      new Map([
        ['acl_groups', 'x,y'],
        ['system_groups_user', 'alice'],
      ]),
    );
  });

  it('finds groups in other spellings, and the keys without them', () => {
    const env = environmentOf({
      USER: 'a',
      USERDB_KEYS: 'UID ACL_GROUPS/A PLUGIN/ACL_GROUPS SET/ACL_GROUPS ACL_GROUPS ',
      'ACL_GROUPS/A': 'yes',
      'PLUGIN/ACL_GROUPS': 'b,c',
      ACL_GROUPS: 'x',
    });
    expect(factsFromEnvironment(env).otherSpellings).toEqual([
      { key: 'acl_groups/a', value: 'yes' },
      { key: 'plugin/acl_groups', value: 'b,c' },
    ]);
    expect(keysWithoutSpellings(env)?.toString()).toBe('UID ACL_GROUPS ');
    expect(keysWithoutSpellings(environmentOf({ USER: 'a', USERDB_KEYS: 'UID ACL_GROUPS ' }))).toBeUndefined();
  });

  it.each<[Record<string, string>]>([[{}], [{ USER: '' }]])('refuses %j', (env) => {
    expect(() => factsFromEnvironment(environmentOf(env))).toThrow(
      new UsageError(
        "USER is not set; exec mode runs as an argument of Dovecot's script-login, which sets it (to try it by hand: USER=name acl-groups env)",
      ),
    );
  });
});

describe('parseEnvironment', () => {
  it('takes the first one of a name, and no string without one', () => {
    const bytes = 'USER=alice\0A/B=x=\ny\0EMPTY=\0=odd\0TWICE=1\0TWICE=2\0LOST/\xff=\xfe\0none\0==x\0';
    expect([...parseEnvironment(bytes)]).toEqual([
      ['USER', 'alice'],
      ['A/B', 'x=\ny'],
      ['EMPTY', ''],
      ['TWICE', '1'],
      ['LOST/\xff', '\xfe'],
      ['=', 'x'],
    ]);
  });
});

it('reads values as UTF-8', () => {
  const environment = parseEnvironment('A=J\xc3\xb6\0B=\xff\0C=c\0');
  expect(['A', 'B', 'C', 'D'].map((name) => textOf(environment, name))).toEqual(['Jö', '\ufffd', 'c', undefined]);
});
