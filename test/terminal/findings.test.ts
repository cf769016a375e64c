import { describe, expect, it } from 'vitest';
import type { Report } from '../../src/check/run.js';
import { formatFindings } from '../../src/terminal/findings.js';
import { PLAIN } from '../../src/terminal/table.js';

const REPORTS: readonly Report[] = [
  { section: 'configuration', check: 'configuration', level: 'ok', place: '/etc/acl-groups.toml', message: 'can be used' },
  {
    ...{ section: 'dovecot', check: 'userdb-skip', level: 'error', place: 'userdb ldap' },
    message: 'skip is not "notfound": users whom only a source of groups knows become mail users',
    fix: 'add to the end of /etc/dovecot/dovecot.conf:\n  userdb acl-groups {\n    skip = notfound\n  }\nthen run: doveadm reload',
  },
  { section: 'dovecot', check: 'listener', level: 'warning', place: '/a/very/long/path/of/a/socket', message: 'mode 0666\u001b[2J' },
];

describe('findings for people', () => {
  it('are a table for each section, with fixes that can be pasted', () => {
    expect(formatFindings(REPORTS, PLAIN, 60)).toBe(`Configuration
  ok       /etc/acl-groups.toml  can be used

Dovecot
  error    userdb ldap  skip is not "notfound": users whom
                        only a source of groups knows become
                        mail users
  fix      add to the end of /etc/dovecot/dovecot.conf:
  userdb acl-groups {
    skip = notfound
  }
           then run: doveadm reload
  warning  /a/very/long/path/of/a/socket
                        mode 0666\\u{1b}[2J

1 error, 1 warning
`);
  });

  it('end with "ok" where there are none', () => {
    expect(formatFindings(REPORTS.slice(0, 1), PLAIN, 80)).toBe(
      'Configuration\n  ok       /etc/acl-groups.toml  can be used\n\nok: nothing to do\n',
    );
  });
});
