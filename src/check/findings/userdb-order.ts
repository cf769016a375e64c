import { GOES_ON, inUserdb } from '../blocks.js';
import type { Check } from '../check.js';
import { error, ok, type PlacedFinding, warning } from '../finding.js';

/** Whether the search for a user comes to the userdb that asks acl-groups: by those before it, and from its place. */
export const userdbOrder: Check = {
  name: 'userdb-order',
  section: 'dovecot',
  look({ facts }) {
    if (facts?.doors.userdb === undefined) return [];
    const index = facts.userdbs.findIndex(({ door }) => door !== undefined);
    const [before, behind] = [facts.userdbs.slice(0, index), facts.userdbs.slice(index + 1)];
    const place = (name: string): string => `userdb ${name}`;
    if (before.length === 0 && behind.length === 0) {
      return [
        error('userdb', 'no userdb says who is a user, beside the one for groups: nobody can log in', {
          what: 'add your own userdb before it',
        }),
      ];
    }
    const findings = before.flatMap((userdb, at): readonly PlacedFinding[] => {
      const ends: readonly PlacedFinding[] =
        userdb.resultSuccess === 'continue-ok'
          ? []
          : [
              error(
                place(userdb.name),
                `result_success is not "continue-ok": its users have no groups, the search ends there`,
                inUserdb(facts, userdb, [GOES_ON]),
              ),
            ];
      const again: readonly PlacedFinding[] =
        at === 0 || userdb.skip !== 'never'
          ? []
          : [
              warning(
                place(userdb.name),
                'skip is not "found": it is asked for users whom an earlier one knows, and its fields replace theirs',
                inUserdb(facts, userdb, ['skip = found']),
              ),
            ];
      return [...ends, ...again];
    });
    const late = behind.map(({ name }) =>
      error(place(name), 'stands behind the one that asks acl-groups: its users have no groups', {
        what: `move the userdb block that asks acl-groups to the end of ${facts.file}`,
      }),
    );
    const all = [...findings, ...late];
    return all.length > 0 ? all : [ok('userdb', `${before.map(({ name }) => name).join(', ')}: the search goes on to acl-groups`)];
  },
};
