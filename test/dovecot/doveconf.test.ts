import { describe, expect, it } from 'vitest';
import { blocksOf, listSetting, parseDoveconf, rawSetting, releaseIn, setting, sizeOf } from '../../src/dovecot/doveconf.js';

const TEXT = `# 2.4.1-4 (7d8c0e5759): /etc/dovecot/dovecot.conf
# Hostname: vm
acl_groups = "all staff" x
empty =
greeting = a = b
protocols = " imap lmtp"
mail_plugins {
  acl = yes
  quota = no
}
namespace "a b" {
  prefix = "x \\"y\\""
}
protocol lmtp {
  mail_plugins {
    sieve = yes
  }
}
protocol imap {
  mail_plugins = acl imap_acl
}
userdb acl-groups {
  fields {
    acl_groups = %{ldap:aclGroups | default}
    acl_groups/x = yes
  }
  userdb_ldap {
    filter = (&(uid=%{user})(account=%{userdb:system_groups_user | default}))
    iterate_fields {
      user = %{ldap:uid}
    }
  }
}
`;

describe("doveconf's output", () => {
  const root = parseDoveconf(TEXT);
  const [userdb] = blocksOf(root, 'userdb');

  it('is read as blocks and settings', () => {
    expect(setting(root, 'protocols')).toBe(' imap lmtp');
    expect(rawSetting(root, 'acl_groups')).toBe('"all staff" x');
    expect(setting(root, 'empty')).toBe('');
    expect(setting(root, 'greeting')).toBe('a = b');
    expect(setting(root, 'nothing')).toBeUndefined();
    expect(blocksOf(root, 'namespace').map((block) => [block.label, setting(block, 'prefix')])).toEqual([['a b', 'x "y"']]);
  });

  it('has settings with a common start in a block of that name', () => {
    if (userdb === undefined) throw new Error('no userdb');
    expect(setting(userdb, 'userdb_ldap_filter')).toBe('(&(uid=%{user})(account=%{userdb:system_groups_user | default}))');
    expect(blocksOf(userdb, 'userdb_ldap_iterate_fields').map(({ values }) => [...values])).toEqual([[['user', '%{ldap:uid}']]]);
    expect([...(blocksOf(userdb, 'fields')[0]?.values.keys() ?? [])]).toEqual(['acl_groups', 'acl_groups/x']);
  });

  it('has lists as blocks, which add to what is inherited, and as values, which replace it', () => {
    const of = (label: string) =>
      blocksOf(root, 'protocol')
        .filter((block) => block.label === label)
        .map((block) => listSetting(block, 'mail_plugins', ['acl']));
    expect(listSetting(root, 'mail_plugins', ['quota'])).toEqual(['acl']);
    expect(of('lmtp')).toEqual([['acl', 'sieve']]);
    expect(of('imap')).toEqual([['acl', 'imap_acl']]);
    expect(listSetting(root, 'protocols')).toEqual(['imap', 'lmtp']);
    expect(listSetting(root, 'nothing')).toBeUndefined();
  });

  it.each([
    ['256 M', 256 * 1024 ** 2],
    ['2G', 2 * 1024 ** 3],
    ['10k', 10_240],
    ['0', 0],
    ['unlimited', Number.POSITIVE_INFINITY],
    ['18446744073709551615 B', undefined],
    ['', undefined],
    [undefined, undefined],
    ['many', undefined],
  ])('has the size %s', (text, bytes) => {
    expect(sizeOf(text)).toBe(bytes);
  });

  it('names the release', () => {
    expect(releaseIn(TEXT)).toBe('2.4.1-4');
    expect(releaseIn('doveconf: Fatal')).toBeUndefined();
  });

  it('may end anywhere', () => {
    for (let length = 0; length < TEXT.length; length++) parseDoveconf(TEXT.slice(0, length));
    expect(parseDoveconf('}\n}\na = b\n').values.get('a')).toBe('b');
  });
});
