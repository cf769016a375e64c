import { wholeDoor } from '../blocks.js';
import type { Check } from '../check.js';
import { error } from '../finding.js';

/** Dovecot 2.3: the file that has the LDAP settings. */
export const userdbFile: Check = {
  name: 'userdb-file',
  section: 'dovecot',
  look(subject) {
    const { facts } = subject;
    const door = facts?.doors.userdb?.door;
    if (facts === undefined || door?.file === undefined || door.readable) return [];
    const fix = wholeDoor(subject, facts).filter(({ what }) => what.startsWith('write '));
    return [error(door.file, "can't be read: no user can log in", ...fix)];
  },
};
