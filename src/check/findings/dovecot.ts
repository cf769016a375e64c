import type { Check } from '../check.js';
import { error, ok } from '../finding.js';

/** Which Dovecot is looked at, and whether its own doveconf can read its configuration. */
export const dovecot: Check = {
  name: 'dovecot',
  section: 'dovecot',
  look({ dovecot: found }) {
    if (!('facts' in found)) return [error(found.place, found.problem, { what: found.fix })];
    const { release, file } = found.facts;
    return [ok(file, `Dovecot ${release}, ${found.how}`)];
  },
};
