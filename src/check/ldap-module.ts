import { existsSync } from 'node:fs';

/** Where distributions have the auth process's plugins. */
const DIRECTORIES = ['/usr/lib/dovecot/modules/auth', '/usr/lib64/dovecot/auth'];

/** The directory that Dovecot's userdb ldap is missing from, which Debian packages separately; `undefined` where it is, or may be built in. */
export function missingLdapModule(): string | undefined {
  const directory = DIRECTORIES.find((path) => existsSync(path));
  return directory === undefined || existsSync(`${directory}/libauthdb_ldap.so`) ? undefined : directory;
}
