import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseOptions } from '../../../src/config/options.js';
import { OPTIONS } from '../../../src/providers/ldap/options.js';
import { makePlan, type Plan } from '../../../src/providers/ldap/plan.js';
import { PRESET_NAMES } from '../../../src/providers/ldap/presets.js';
import { ConfigError } from '../../../src/support/errors.js';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'acl-groups-plan-'));
  writeFileSync(join(directory, 'password'), 'hunter2\n', { mode: 0o600 });
  writeFileSync(join(directory, 'empty'), '\n', { mode: 0o600 });
  writeFileSync(join(directory, 'no.pem'), 'nothing\n');
  writeFileSync(join(directory, 'broken.pem'), '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
});
afterAll(() => rmSync(directory, { recursive: true }));

const NEEDED = { uris: ['ldaps://a'], user_base: 'ou=people,dc=x', group_base: 'ou=groups,dc=x' };
const plan = (table: Readonly<Record<string, unknown>>): Plan =>
  makePlan(parseOptions(OPTIONS, { ...NEEDED, ...table }, 'test'), directory);

describe('makePlan', () => {
  it.each(PRESET_NAMES)('has a working preset %s', (preset) => {
    const { strategy, user, group } = plan({ preset });
    expect(user.filter.placeholders).toEqual(new Set(['user']));
    expect(group.filter.placeholders.size).toBe(strategy === 'search' ? 1 : 0);
  });

  it('lets options override a preset', () => {
    const { strategy, user, group } = plan({
      preset: 'ad',
      group_strategy: 'search',
      user_filter: '(mail={local}@{domain})',
      group_filter: '(x={uid})',
    });
    expect({ strategy, user: user.filter.placeholders, group: group.filter.placeholders }).toEqual({
      strategy: 'search',
      user: new Set(['local', 'domain']),
      group: new Set(['uid']),
    });
  });

  it("escapes names in user_base, so that a user name can't leave it", () => {
    expect(plan({ user_base: 'ou=people,o={domain},dc=x' }).user.base({ domain: 'a,dc=y+b' })).toBe('ou=people,o=a\\2cdc\\3dy\\2bb,dc=x');
  });

  it('has no base for a name without the part that the base needs', () => {
    expect(plan({ user_base: 'o={domain},dc=x' }).user.base({ user: 'alice', local: 'alice', domain: '' })).toBeUndefined();
  });

  it.each([
    [{ uris: [] }, 'uris: needed'],
    [{ user_base: '' }, 'user_base: needed'],
    [{ user_base: 'people' }, 'user_base: "people" is no DN'],
    [{ user_base: 'ou={name},dc=x' }, 'user_base: unknown placeholder {name}'],
    [{ user_filter: '(objectClass=person)' }, 'user_filter: has none of {user} {local} {domain}'],
    [{ user_filter: '(uid={dn})' }, 'user_filter: (uid={dn}): no filter: unknown placeholder {dn}'],
    [{ group_base: '' }, 'group_base: needed'],
    [{ group_filter: '(objectClass=group)' }, 'group_filter: has none of {dn} {uid}'],
    [{ group_filter: '(member={dn})', group_strategy: 'memberof' }, 'unknown placeholder {dn} (allowed here: none'],
    [{ group_name_attribute: 'c n' }, 'group_name_attribute: "c n" is no attribute name'],
    [{ preset: 'ad', nesting_level: 0 }, 'nesting_level: 0 is not possible with group_strategy "token_groups"'],
    [{ preset: 'freeipa', nesting_level: 0 }, 'nesting_level: 0 is not possible with group_strategy "memberof"'],
    [{ preset: 'ad', distribution_groups: true }, 'distribution_groups: needs preset = "ad" and group_strategy = "search" or "memberof"'],
    [{ distribution_groups: true }, 'distribution_groups: needs preset = "ad"'],
    [{ bind_dn: 'cn=x' }, 'bind_dn needs bind_password_file too'],
    [{ bind_password_file: 'password' }, 'bind_password_file needs bind_dn too'],
    [{ bind_dn: 'cn=x', bind_password_file: 'missing' }, "missing: the password file can't be read"],
    [{ bind_dn: 'cn=x', bind_password_file: 'empty' }, 'empty: refused: the password file is empty'],
    [{ bind_dn: 'cn=x', bind_password_file: '.' }, 'refused: it is a directory'],
    [{ sasl_mechanism: 'EXTERNAL', bind_dn: 'cn=x' }, 'EXTERNAL takes no bind_dn'],
    [{ sasl_mechanism: 'EXTERNAL' }, 'EXTERNAL over ldaps://a needs TLS with tls_cert_file'],
    [{ sasl_mechanism: 'EXTERNAL', uris: ['ldap://a'], starttls: false }, 'EXTERNAL over ldap://a needs TLS'],
    [{ tls_cert_file: 'x.pem' }, 'tls_cert_file and tls_key_file belong together'],
    [{ tls_ca_file: 'missing.pem' }, 'tls_ca_file: '],
    [{ tls_ca_file: 'no.pem' }, 'no.pem holds no certificate in PEM form'],
    [{ tls_ca_file: 'broken.pem' }, 'broken.pem holds no certificate in PEM form: '],
  ])('refuses %j', (table, message) => {
    expect(() => plan(table)).toThrow(ConfigError);
    expect(() => plan(table)).toThrow(message);
  });

  it.each([0o640, 0o604, 0o644])('refuses a password file of mode %o', (mode) => {
    const file = join(directory, `mode${mode}`);
    writeFileSync(file, 'x');
    chmodSync(file, mode);
    expect(() => plan({ bind_dn: 'cn=x', bind_password_file: file })).toThrow(
      `refused: it holds a secret, and others than its owner may read or write it (mode ${mode.toString(8)})`,
    );
  });

  it('takes one end of line off a password, reads it anew each time, and keeps it out of what can be printed', () => {
    const file = join(directory, 'changing');
    writeFileSync(file, ' two words \n\n', { mode: 0o600 });
    const { credentials } = plan({ bind_dn: 'cn=x', bind_password_file: 'changing' });
    const password = credentials.kind === 'simple' ? credentials.password : () => '';
    expect(password()).toBe(' two words \n');
    writeFileSync(file, 'other\r\n');
    expect(password()).toBe('other');
    expect(JSON.stringify(credentials)).not.toContain('other');
  });

  it('allows EXTERNAL over ldapi alone', () => {
    expect(plan({ sasl_mechanism: 'EXTERNAL', uris: ['ldapi://%2Fx'] }).credentials).toEqual({ kind: 'external' });
  });
});
