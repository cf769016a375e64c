import { inUserdb } from '../blocks.js';
import type { Check } from '../check.js';
import { error, type PlacedFinding } from '../finding.js';

/** Whether a userdb gives groups of its own, in whichever of Dovecot's spellings. */
export const spellings: Check = {
  name: 'spellings',
  section: 'dovecot',
  look({ facts }) {
    const own = facts?.doors.userdb;
    if (facts === undefined || own === undefined) return [];
    const stated = /\(\s*aclGroups\s*=/i.test(own.door.filter);
    return facts.userdbs
      .filter(({ door }) => door === undefined)
      .flatMap((userdb) =>
        [...userdb.fields.keys()].flatMap((field): readonly PlacedFinding[] => {
          const place = `userdb ${userdb.name}`;
          const remove = { what: `remove ${field} from the block of userdb ${userdb.name}, and give those groups by acl-groups` };
          // By what was measured: in 2.3 this one wins over acl_groups, whichever comes first.
          if (field === 'plugin/acl_groups' && facts.version === '2.3') {
            return [error(place, 'gives plugin/acl_groups, which replaces the groups of acl-groups', remove)];
          }
          if (field.startsWith('acl_groups/'))
            return [error(place, `gives ${field}, which is ignored beside the list that acl-groups gives`, remove)];
          if (field !== 'acl_groups' || stated) return [];
          const value = facts.version === '2.3' ? '%{userdb:acl_groups}' : '%{userdb:acl_groups | default}';
          const filter = own.door.filter.replace(/\)$/, `(aclGroups=${value}))`);
          const lines = facts.version === '2.3' ? [`user_filter = ${filter}`] : [`userdb_ldap_filter = ${filter}`];
          const state = own.door.file === undefined ? inUserdb(facts, own, lines) : { what: `in ${own.door.file}, set`, lines };
          return [error(place, "gives acl_groups, which is replaced, because the filter doesn't state it", state)];
        }),
      );
  },
};
