import type { Check } from '../check.js';
import { warning } from '../finding.js';

/** Of the 8,192 bytes that Dovecot takes of a userdb reply. */
const NEAR = 6 * 1024;

/** Whether the value is near to what Dovecot takes of a userdb reply. */
export const valueSize: Check = {
  name: 'value-size',
  section: 'service',
  async look(subject) {
    const answer = (await subject.probe())?.userdb;
    if (answer === undefined || answer instanceof Error || answer.outcome !== 'granted') return [];
    const bytes = Buffer.byteLength(answer.value);
    if (bytes <= NEAR) return [];
    return [
      warning('acl_groups', `${subject.user}'s value has ${bytes} bytes; Dovecot takes 8192 of a userdb reply, all fields together`, {
        what: 'choose groups by include and exclude in [groups], or use the post-login service',
      }),
    ];
  },
};
