import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DovecotVersion } from './world.js';

/** A user that only Dovecot knows. */
export interface VirtualUser {
  readonly name: string;
  /** Extra userdb fields, which reach post-login programs. No `:`, no blank and no line end in them. */
  readonly fields?: Readonly<Record<string, string>>;
}

/** A user's entry for userdb ldap, below the people of slapd's BASE_LDIF. */
export function ldapUserLdif(name: string, lines = ''): string {
  return `dn: uid=${name},ou=people,dc=example,dc=test
objectClass: inetOrgPerson
objectClass: posixAccount
uid: ${name}
cn: ${name}
sn: ${name}
uidNumber: ${VMAIL.uid}
gidNumber: ${VMAIL.gid}
homeDirectory: /tmp/acl-groups-nowhere
${lines}`;
}

interface Common {
  /** Goes on with the userdbs behind it although this one knows the user: `result_success = continue-ok`. Default false. */
  readonly continues?: boolean;
}

/** One userdb of a Dovecot, in the order in which they are asked. The mail of users who are no accounts belongs to `VMAIL`. */
export type Userdb = Common &
  (
    | { readonly driver: 'passwd' }
    | { readonly driver: 'passwd-file' | 'sql'; readonly users: readonly VirtualUser[] }
    /** The passdb gives the fields; only logins know these users, so another userdb is wanted for everything else. */
    | { readonly driver: 'prefetch'; readonly users: readonly VirtualUser[] }
    /** Everybody exists. */
    | { readonly driver: 'static'; readonly fields?: Readonly<Record<string, string>> }
    /** A directory. `fields` are attributes by userdb field; those for uid, gid and home come by themselves. */
    | {
        readonly driver: 'ldap';
        readonly uri: string;
        readonly base: string;
        readonly dn: string;
        readonly password: string;
        readonly fields?: Readonly<Record<string, string>>;
      }
  );

/** The owner of virtual users' mail. */
export const VMAIL: { readonly uid: number; readonly gid: number } = { uid: 9_999, gid: 9_999 };

/** The blocks of all userdbs and, before them, of the passdb that prefetch needs. Their files are written below `directory`. */
export function userdbBlocks(version: DovecotVersion, directory: string, userdbs: readonly Userdb[]): string {
  return userdbs.map((userdb, index) => userdbBlock(version, join(directory, `userdb-${index}`), directory, userdb)).join('');
}

/** A passdb by which masters log in as others, `OTHER*MASTER`, with everybody's password. */
export function masterUserBlocks(version: DovecotVersion, directory: string, masters: readonly string[]): string {
  const file = join(directory, 'masters');
  writeFileSync(file, masters.map((name) => `${name}:{PLAIN}secret\n`).join(''));
  const more = { master: 'yes', result_success: 'continue' };
  const block =
    version === '2.3'
      ? settings('passdb', { driver: 'passwd-file', args: file, ...more })
      : settings('passdb masters', { driver: 'passwd-file', passwd_file_path: file, ...more });
  return `auth_master_user_separator = *\n${block}`;
}

function userdbBlock(version: DovecotVersion, file: string, directory: string, userdb: Userdb): string {
  const success = userdb.continues ? { result_success: 'continue-ok' } : {};
  const block = (driver: string, args: string | undefined, settings24: Readonly<Record<string, string>>, blocks24 = ''): string =>
    version === '2.3'
      ? settings('userdb', { driver, ...(args === undefined ? {} : { args }), ...success })
      : settings(`userdb ${driver}`, { ...settings24, ...success }, blocks24);
  switch (userdb.driver) {
    case 'passwd':
      return block('passwd', undefined, {});
    case 'passwd-file':
      writeFileSync(file, userdb.users.map((user) => passwdFileLine(user, directory)).join(''));
      return block('passwd-file', `username_format=%u ${file}`, { passwd_file_path: file });
    case 'prefetch':
      writeFileSync(file, userdb.users.map((user) => prefetchLine(user, directory)).join(''));
      return version === '2.3'
        ? settings('passdb', { driver: 'passwd-file', args: `username_format=%u ${file}` }) + block('prefetch', undefined, {})
        : settings('passdb passwd-file', { passwd_file_path: file }) + block('prefetch', undefined, {});
    case 'static': {
      const fields = { uid: `${VMAIL.uid}`, gid: `${VMAIL.gid}`, home: `${directory}/home/%u`, ...userdb.fields };
      const args = Object.entries(fields).map(([key, value]) => `${key}=${value}`);
      return block(
        'static',
        `${args.join(' ')} allow_all_users=yes`,
        { static_allow_all_users: 'yes' },
        settings('fields', { ...fields, home: `${directory}/home/%{user}` }),
      );
    }
    case 'sql':
      return sqlBlock(version, file, directory, userdb.users, block);
    case 'ldap':
      return ldapBlock(version, file, userdb, block);
  }
}

type Block = (driver: string, args: string | undefined, settings24: Readonly<Record<string, string>>, blocks24?: string) => string;

function sqlBlock(version: DovecotVersion, file: string, directory: string, users: readonly VirtualUser[], block: Block): string {
  const keys = [...new Set(users.flatMap(({ fields = {} }) => Object.keys(fields)))];
  const columns = ['user', 'uid', 'gid', 'home', ...keys];
  const rows = users.map(({ name, fields = {} }) => [
    ...[name, `${VMAIL.uid}`, `${VMAIL.gid}`, `${directory}/home/${name}`],
    ...keys.map((key) => fields[key] ?? null),
  ]);
  execFileSync('python3', ['-c', SQLITE, `${file}.sqlite`, JSON.stringify({ columns, rows })]);
  const query = (variable: string): string =>
    `SELECT ${columns.map((name) => `"${name}"`).join(', ')} FROM users WHERE user = '${variable}'`;
  if (version === '2.4')
    return `sql_driver = sqlite\nsqlite_path = ${file}.sqlite\n${block('sql', undefined, { query: query('%{user}'), iterate_query: 'SELECT user AS username FROM users' })}`;
  writeFileSync(
    file,
    `driver = sqlite\nconnect = ${file}.sqlite\nuser_query = ${query('%u')}\niterate_query = SELECT user AS username FROM users\n`,
  );
  return block('sql', file, {});
}

// Node.js 20 has no SQLite.
const SQLITE = `
import json, sqlite3, sys
table = json.loads(sys.argv[2])
database = sqlite3.connect(sys.argv[1])
database.execute('CREATE TABLE users (%s)' % ', '.join('"%s" TEXT' % name for name in table['columns']))
database.executemany('INSERT INTO users VALUES (%s)' % ', '.join('?' for _ in table['columns']), table['rows'])
database.commit()`;

function ldapBlock(version: DovecotVersion, file: string, userdb: Userdb & { readonly driver: 'ldap' }, block: Block): string {
  const { uri, base, dn, password, fields = {} } = userdb;
  const attributes = Object.entries({ uid: 'uidNumber', gid: 'gidNumber', home: 'homeDirectory', ...fields });
  if (version === '2.4') {
    return block(
      'ldap',
      undefined,
      { ldap_uris: uri, ldap_base: base, ldap_auth_dn: dn, ldap_auth_dn_password: password, userdb_ldap_filter: '(uid=%{user})' },
      settings('userdb_ldap_iterate_fields', { user: '%{ldap:uid}' }) +
        '  userdb_ldap_iterate_filter = (objectClass=posixAccount)\n' +
        settings('fields', Object.fromEntries(attributes.map(([field, attribute]) => [field, `%{ldap:${attribute} | default}`]))),
    );
  }
  const lines = {
    ...{ uris: uri, base, dn, dnpass: password, user_filter: '(uid=%u)' },
    user_attrs: attributes.map(([field, attribute]) => `${attribute}=${field}`).join(','),
    ...{ iterate_attrs: 'uid=user', iterate_filter: '(objectClass=posixAccount)' },
  };
  writeFileSync(
    file,
    Object.entries(lines)
      .map(([key, value]) => `${key} = ${value}\n`)
      .join(''),
  );
  return block('ldap', file, {});
}

function settings(name: string, values: Readonly<Record<string, string>>, blocks = ''): string {
  const lines = Object.entries(values).map(([key, value]) => `  ${key} = ${value}\n`);
  return `${name} {\n${lines.join('')}${blocks}}\n`;
}

function passwdFileLine({ name, fields = {} }: VirtualUser, directory: string): string {
  const extra = Object.entries(fields).map(([key, value]) => `userdb_${key}=${value}`);
  return `${name}::${VMAIL.uid}:${VMAIL.gid}::${directory}/home/${name}::${extra.join(' ')}\n`;
}

function prefetchLine({ name, fields = {} }: VirtualUser, directory: string): string {
  const all = { uid: VMAIL.uid, gid: VMAIL.gid, home: `${directory}/home/${name}`, ...fields };
  const extra = Object.entries(all).map(([key, value]) => `userdb_${key}=${value}`);
  return `${name}:{PLAIN}secret::::::${extra.join(' ')}\n`;
}
