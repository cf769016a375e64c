import { existsSync } from 'node:fs';
import type { Check } from '../check.js';
import { error } from '../finding.js';

/** Where distributions have the auth process's plugins. */
const DIRECTORIES = ['/usr/lib/dovecot/modules/auth', '/usr/lib/dovecot/auth', '/usr/lib64/dovecot/auth'];

/** Whether Dovecot has what its userdb ldap takes, which Debian packages separately. */
export const userdbModule: Check = {
  name: 'userdb-module',
  section: 'dovecot',
  look({ facts }) {
    if (facts?.doors.userdb === undefined) return [];
    const directory = DIRECTORIES.find((path) => existsSync(path));
    // Built in, or in a place of its own.
    if (directory === undefined || existsSync(`${directory}/libauthdb_ldap.so`)) return [];
    return [error(directory, "userdb ldap isn't installed: nobody can log in", { what: 'install the package dovecot-ldap' })];
  },
};
