import { defineProvider, type ProviderDefinition } from '../provider.js';
import { createLdapProvider } from './lookup.js';
import { type LdapOptions, OPTIONS } from './options.js';

/** Groups from LDAP directories. */
const ldap: ProviderDefinition<LdapOptions> = defineProvider({
  name: 'ldap',
  description: 'LDAP directories: OpenLDAP, 389 Directory Server, FreeIPA, Active Directory',
  options: OPTIONS,
  create: createLdapProvider,
});
export default ldap;
