import { INSTALL_LDAP } from '../blocks.js';
import type { Check } from '../check.js';
import { error } from '../finding.js';
import { missingLdapModule } from '../ldap-module.js';

/** Whether Dovecot has what its userdb ldap takes. */
export const userdbModule: Check = {
  name: 'userdb-module',
  section: 'dovecot',
  look({ facts }) {
    if (facts?.doors.userdb === undefined) return [];
    const directory = missingLdapModule();
    return directory === undefined ? [] : [error(directory, "userdb ldap isn't installed: nobody can log in", INSTALL_LDAP)];
  },
};
