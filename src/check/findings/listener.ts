import { block, inService } from '../blocks.js';
import type { Check } from '../check.js';
import { error, ok, type PlacedFinding, warning } from '../finding.js';

/** Whether those who ask the service may connect, and whether others may. */
export const listener: Check = {
  name: 'listener',
  section: 'dovecot',
  look({ facts }) {
    const own = facts?.own;
    if (facts === undefined || own === undefined) return [];
    // Mail processes ask as root, who may always; the auth process asks as this user.
    const asker = facts.services.find(({ name }) => name === 'auth')?.user || facts.internalUser;
    const variable = facts.version === '2.3' ? '$default_internal_user' : '$SET:default_internal_user';
    return own.listeners.map(({ name, path, user, group, mode }): PlacedFinding => {
      const fix = inService(
        facts,
        own.name,
        block(`unix_listener ${name}`, ['mode = 0600', `user = ${asker === facts.internalUser ? variable : asker}`]),
      );
      const shown = `mode ${mode.toString(8).padStart(4, '0')}, user ${user || 'root'}${group === '' ? '' : `, group ${group}`}`;
      const may = (user === asker && (mode & 0o200) !== 0) || (group !== '' && (mode & 0o020) !== 0) || (mode & 0o002) !== 0;
      if (facts.doors.userdb !== undefined && !may) {
        return error(path, `${shown}: Dovecot's auth process, which runs as ${asker}, may not connect: nobody can log in`, fix);
      }
      if ((mode & 0o002) !== 0) return warning(path, `${shown}: every user of this machine may ask for anybody's groups`, fix);
      return ok(path, shown);
    });
  },
};
