import type { Check } from '../check.js';
import { error, ok, warning } from '../finding.js';
import { run } from '../programs.js';

/** The units for a service beside Dovecot's master: whether they are on, and asked. */
export const units: Check = {
  name: 'units',
  section: 'machine',
  async look({ facts }) {
    const { status, stdout } = await run('systemctl', ['is-active', 'acl-groups.socket']);
    if (status === undefined) return [];
    const active = stdout.trim() === 'active';
    const socket = '/run/acl-groups.sock';
    const asked =
      facts !== undefined &&
      ([...facts.doors.postLogin.values()].includes(socket) || facts.doors.userdb?.door.uris.includes('acl-groups.sock') === true);
    if (active && !asked && facts !== undefined) {
      return [
        warning('acl-groups.socket', "is on, and Dovecot doesn't ask it", {
          what: 'run: systemctl disable --now acl-groups.socket acl-groups.service',
        }),
      ];
    }
    if (!active && asked)
      return [error('acl-groups.socket', 'is off, and Dovecot asks it', { what: 'run: systemctl enable --now acl-groups.socket' })];
    return [ok('acl-groups.socket', active ? 'is on, and Dovecot asks it' : "is off, as it should be under Dovecot's master")];
  },
};
