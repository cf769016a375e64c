import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { filesNameGroups, filesRule, formatServices, parseNsswitch, type Service } from '../../../src/providers/unix/nsswitch.js';

describe('parseNsswitch', () => {
  it('reads services and actions, and what is meant for a comment as glibc does', () => {
    const { passwd, group, initgroups } = parseNsswitch(
      '# passwd: nis\n passwd : files  [ NotFound=Return !unavail = continue ]sss # ldap\ngroup:files\nhosts: dns\ninitgroups: sss\n',
    );
    expect(passwd).toEqual([
      { name: 'files', actions: ['NOTFOUND=return', '!UNAVAIL=continue'] },
      { name: 'sss', actions: [] },
      { name: '#', actions: [], commented: true },
      { name: 'ldap', actions: [], commented: true },
    ]);
    expect([group, initgroups]).toEqual([[{ name: 'files', actions: [] }], [{ name: 'sss', actions: [] }]]);
  });

  it('takes the last line of a database, and the files where there is none', () => {
    const { passwd, group, initgroups } = parseNsswitch('passwd: nis\npasswd: ldap\n');
    expect([formatServices(passwd), formatServices(group), initgroups]).toEqual(['ldap', 'files', undefined]);
  });

  it('ignores a last line that no newline ends, as glibc does', () => {
    expect(formatServices(parseNsswitch('group: files\ngroup: ldap').group)).toBe('files');
    expect(formatServices(parseNsswitch('group: ldap [').group)).toBe('files');
  });

  it.each([
    'hosts: dns [',
    'group: files [SUCCESS=returnNOTFOUND=return]',
    'passwd: files [NOTFOUND]',
    'passwd: files [NOTFOUND=stop]',
    'group: files [',
    'group: ldap []',
  ])('refuses %j', (line) => {
    expect(() => parseNsswitch(`${line}\n`)).toThrow(`can't be read: ${line}`);
  });

  it('reads back what it writes', () => {
    const actions = fc.uniqueArray(fc.constantFrom('NOTFOUND=return', '!UNAVAIL=return', 'SUCCESS=merge', 'TRYAGAIN=continue'));
    const service: fc.Arbitrary<Service> = fc.record({ name: fc.constantFrom('files', 'systemd', 'ldap', 'compat'), actions });
    fc.assert(
      fc.property(fc.array(service), (services) => {
        expect(parseNsswitch(`group: ${formatServices(services)}\n`).group).toEqual(services);
      }),
    );
  });
});

describe('filesRule', () => {
  it.each([
    ['', 'all'],
    ['group: files # ldap', 'none'],
    ['group: files [SUCCESS=return] #', 'none'],
    ['passwd: files\ngroup: files', 'all'],
    ['passwd: files systemd\ngroup: files systemd', 'found'],
    ['passwd: files systemd\ngroup: files [SUCCESS=merge] systemd', 'found'],
    ['passwd: files\ngroup: files systemd', 'found'],
    ['passwd: files\ngroup: files\ninitgroups: files', 'all'],
    ['passwd: files\ngroup: files\ninitgroups: files sss', 'none'],
    ['passwd: files ldap\ngroup: files', 'none'],
    ['passwd: files\ngroup: files ldap', 'none'],
    ['passwd: systemd files\ngroup: files', 'none'],
    ['passwd: compat\ngroup: compat', 'none'],
    ['passwd: files [SUCCESS=continue] systemd', 'none'],
    ['passwd: files [SUCCESS=merge] systemd', 'none'],
    ['passwd:\ngroup: files', 'none'],
  ])('%j: %s', (text, rule) => {
    expect(filesRule(parseNsswitch(`${text}\n`))).toBe(rule);
  });
});

describe('filesNameGroups', () => {
  it.each([
    ['group: files ldap', true],
    ['group: files [SUCCESS=merge] ldap', true],
    ['group: files [SUCCESS=continue] ldap', false],
    ['group: files [!NOTFOUND=continue] ldap', false],
    ['group: ldap files', false],
    ['group: compat', false],
  ])('%j: %s', (text, expected) => {
    expect(filesNameGroups(parseNsswitch(`${text}\n`))).toBe(expected);
  });
});
