import type { Check } from '../check.js';
import { userdbPart } from '../userdb-part.js';

/** Listing users, which the service has none of. */
export const userdbIterate: Check = userdbPart(
  'userdb-iterate',
  {
    kind: 'ldap',
    settings: { '2.3': ['iterate_filter', 'iterate_attrs'], '2.4': ['userdb_ldap_iterate_filter', 'userdb_ldap_iterate_fields'] },
  },
  ({ door: { iterateFilter, iterateUser } }, { version }) => {
    // What 2.3 asks without it has an answer, too.
    if (iterateFilter === '' && version === '2.3') return undefined;
    const what = 'doveadm -A and doveadm user "*" fail';
    if (!/^\(\s*objectClass\s*=[^()]*\)$/i.test(iterateFilter))
      return { level: 'error', problem: `is not a search for a class that nobody is in: ${what}` };
    return iterateUser === '' && version === '2.4'
      ? { level: 'error', problem: `has no userdb_ldap_iterate_fields beside it: ${what}` }
      : undefined;
  },
);
