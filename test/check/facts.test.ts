import { describe, expect, it } from 'vitest';
import { factsOf, socketOfUri, uriOfSocket } from '../../src/check/facts.js';

const NAMED = 'base_dir = /run/dovecot\ndefault_internal_user = dovecot\ndefault_vsz_limit = 256 M\nauth_cache_size = 0\n';

/** What 2.3 prints of a service. */
function service23(name: string, executable: string, more = ''): string {
  return `service ${name} {\n  executable = ${executable}\n  user = $default_internal_user\n  vsz_limit = 18446744073709551615 B\n${more}}\n`;
}

const LISTENER = '  unix_listener acl-groups {\n    group = \n    mode = 0600\n    user = $default_internal_user\n  }\n';

const OLD = `# 2.3.19.1 (9b53102964): /etc/dovecot/dovecot.conf
auth_cache_size = 10 M
protocols = imap lmtp
${service23('imap', 'imap acl-groups')}${service23('pop3', 'pop3 pop3-postlogin')}
${service23('pop3-postlogin', 'script-login -d /usr/bin/acl-groups -p ldap', '  unix_listener pop3-postlogin {\n    mode = 0600\n    user = \n  }\n')}
${service23('acl-groups', '/usr/bin/acl-groups serve -c /etc/x.toml', LISTENER)}
userdb {
  args = uid=vmail gid=vmail acl_groups=x
  driver = static
  result_success = continue-ok
}
userdb {
  args = /etc/dovecot/acl-groups-ldap.conf.ext
  driver = ldap
  result_internalfail = return-fail
  skip = notfound
}
`;

describe("what is known of a Dovecot by doveconf's output", () => {
  it('is, for 2.3, what it prints, with the file of LDAP settings', () => {
    const settings = new Map([
      ['uris', 'ldapi://%2frun%2fdovecot%2facl-groups'],
      ['base', 'dc=acl-groups'],
      ['user_filter', '(uid=%u)'],
      ['user_attrs', 'aclGroups=acl_groups'],
    ]);
    const facts = factsOf(OLD, NAMED, '/x', (path) => (path === '/etc/dovecot/acl-groups-ldap.conf.ext' ? settings : undefined));
    expect(facts).toMatchObject({
      version: '2.3',
      release: '2.3.19.1',
      internalUser: 'dovecot',
      authCacheSize: 10 * 1024 ** 2,
      protocols: ['imap', 'lmtp'],
    });
    expect(facts.userdbs.map(({ name, resultSuccess, door }) => [name, resultSuccess, door !== undefined])).toEqual([
      ['static', 'continue-ok', false],
      ['ldap', 'return-ok', true],
    ]);
    expect(facts.userdbs[0]?.fields.get('acl_groups')).toBe('x');
    expect(facts.doors.userdb?.door).toEqual({
      ...{
        file: '/etc/dovecot/acl-groups-ldap.conf.ext',
        readable: true,
        uris: 'ldapi://%2frun%2fdovecot%2facl-groups',
        base: 'dc=acl-groups',
      },
      ...{ filter: '(uid=%u)', groups: 'aclGroups=acl_groups', iterateFilter: '', iterateUser: '' },
    });
    expect(facts.own).toMatchObject({
      user: 'dovecot',
      vszLimit: 256 * 1024 ** 2,
      listeners: [{ path: '/run/dovecot/acl-groups', mode: 0o600, user: 'dovecot' }],
    });
    expect([...facts.doors.postLogin]).toEqual([['imap', '/run/dovecot/acl-groups']]);
    expect([...facts.doors.scriptLogin].map(([protocol, { name }]) => [protocol, name])).toEqual([['pop3', 'pop3-postlogin']]);
  });

  it('is no door, where an LDAP userdb is a directory', () => {
    const facts = factsOf(OLD.replaceAll('acl-groups', 'x'), NAMED, '/x', () => new Map([['uris', 'ldap://127.0.0.1']]));
    expect(facts.doors).toEqual({ userdb: undefined, postLogin: new Map(), scriptLogin: new Map() });
    expect(facts.own).toBeUndefined();
  });

  it("is, for 2.4, what it prints beside the defaults, and systemd's socket is a post-login service, too", () => {
    const text = `# 2.4.2 (x): /etc/dovecot/dovecot.conf
ldap_base = dc=acl-groups
service imap {
  executable = imap /run/acl-groups.sock
}
service acl-groups {
  executable = /usr/bin/acl-groups serve
  vsz_limit = unlimited
  unix_listener groups {
    path = /run/groups
  }
}
userdb groups {
  driver = ldap
}
`;
    const facts = factsOf(text, `${NAMED}protocols {\n  imap = yes\n  pop3 = no\n}\n`, '/x', () => undefined);
    expect(facts).toMatchObject({ version: '2.4', protocols: ['imap'], authCacheSize: 0 });
    expect(facts.doors.userdb).toMatchObject({ name: 'groups', skip: 'never', door: { base: 'dc=acl-groups', uris: '', file: undefined } });
    expect(facts.own).toMatchObject({
      user: '',
      vszLimit: Number.POSITIVE_INFINITY,
      listeners: [{ path: '/run/groups', user: '', mode: 0o600 }],
    });
    expect([...facts.doors.postLogin]).toEqual([['imap', '/run/acl-groups.sock']]);
  });

  it.each([
    ['# 2.2.36 (x): /x\n', 'Dovecot 2.2.36: 2.3 or newer is needed'],
    ['doveconf: Fatal\n', 'Dovecot of an unknown version: 2.3 or newer is needed'],
  ])('is nothing for %j', (text, message) => {
    expect(() => factsOf(text, '', '/x', () => undefined)).toThrow(message);
  });

  it.each(['/run/dovecot/acl-groups', '/srv/a b/%x/groups'])('has the socket %s as a URI', (path) => {
    expect(socketOfUri(uriOfSocket(path))).toBe(path);
  });

  it.each(['ldap://127.0.0.1', 'ldapi://', 'ldapi://%zz', ''])('has no socket for %j', (uri) => {
    expect(socketOfUri(uri)).toBeUndefined();
  });
});
