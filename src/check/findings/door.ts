import { RELOAD, wholeDoor } from '../blocks.js';
import type { Check } from '../check.js';
import { error, ok } from '../finding.js';

/** Which door into Dovecot is open. */
export const door: Check = {
  name: 'door',
  section: 'dovecot',
  look(subject) {
    const { facts } = subject;
    if (facts === undefined) return [];
    const { userdb, postLogin, scriptLogin } = facts.doors;
    const limits = 'IMAP and POP3 sessions only: Sieve, ManageSieve and doveadm see no groups';
    const open = [
      ...(userdb === undefined ? [] : [ok('door', `userdb (userdb ${userdb.name}): groups reach every service of Dovecot`)]),
      ...(postLogin.size === 0 ? [] : [ok('door', `post-login service (${[...postLogin.keys()].join(', ')}): ${limits}`)]),
      ...(scriptLogin.size === 0 ? [] : [ok('door', `script-login (${[...scriptLogin.keys()].join(', ')}): ${limits}`)]),
    ];
    if (open.length > 0) return open;
    return [error('door', 'Dovecot asks acl-groups nowhere: no user has groups', ...wholeDoor(subject, facts), RELOAD)];
  },
};
