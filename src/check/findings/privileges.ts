import { inService } from '../blocks.js';
import type { Check } from '../check.js';
import { error, ok, warning } from '../finding.js';

/** Whom the service runs as. */
export const privileges: Check = {
  name: 'privileges',
  section: 'dovecot',
  look({ facts, identity, identityName }) {
    const own = facts?.own;
    if (facts === undefined || own === undefined) return [];
    const place = `service ${own.name}`;
    if (identity === undefined)
      return [
        error(place, `user "${identityName}" has no account on this machine: the service can't start`, {
          what: 'name another user, or create the account',
        }),
      ];
    if (identity.uid === 0) {
      const user = facts.version === '2.3' ? '$default_internal_user' : '$SET:default_internal_user';
      return [
        warning(
          place,
          'runs as root, which it has no need of',
          inService(facts, own.name, [`user = ${user}`, 'drop_priv_before_exec = yes']),
        ),
      ];
    }
    if (!own.dropsPrivileges) {
      return [
        warning(
          place,
          'starts as root, because the master leaves it to its processes to become their user',
          inService(facts, own.name, ['drop_priv_before_exec = yes']),
        ),
      ];
    }
    return [ok(place, `runs as ${identity.name}`)];
  },
};
