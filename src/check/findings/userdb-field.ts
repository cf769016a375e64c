import type { Check } from '../check.js';
import { userdbPart } from '../userdb-part.js';

/** What becomes of the answer. */
export const userdbField: Check = userdbPart(
  'userdb-field',
  { kind: 'ldap', settings: { '2.3': ['user_attrs'], '2.4': ['fields'] } },
  ({ door: { groups } }, { version }) => {
    if (version === '2.3') {
      const right = /(^|,)\s*aclGroups\s*=\s*acl_groups\s*(,|$)/i.test(groups) || /=\s*acl_groups\s*=\s*%\{ldap:aclGroups\}/i.test(groups);
      return right ? undefined : { level: 'error', problem: "doesn't make acl_groups of aclGroups: users have no groups" };
    }
    if (!/%\{\s*ldap:aclGroups\b/i.test(groups))
      return { level: 'error', problem: "don't make acl_groups of %{ldap:aclGroups}: users have no groups" };
    return /\|\s*default/.test(groups)
      ? undefined
      : { level: 'error', problem: 'have acl_groups without "| default": a user without groups can\'t log in' };
  },
);
