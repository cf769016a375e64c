import { inService } from '../blocks.js';
import type { Check } from '../check.js';
import { ok, warning } from '../finding.js';

const PROTOCOLS = ['imap', 'pop3'];

/** Whether every protocol asks that could: where one does and no userdb does, sessions of the other have no groups. */
export const postLogin: Check = {
  name: 'post-login',
  section: 'dovecot',
  look({ facts }) {
    if (facts === undefined) return [];
    const { userdb, postLogin: asked, scriptLogin } = facts.doors;
    if (asked.size === 0) return [];
    const without = PROTOCOLS.filter((name) => facts.protocols.includes(name) && !asked.has(name) && !scriptLogin.has(name));
    if (userdb !== undefined || without.length === 0)
      return [ok('service', `${[...asked.keys()].join(' and ')}: the executable names the service's socket`)];
    const [socket = ''] = [...asked.values()];
    const word = socket.startsWith(`${facts.baseDir}/`) ? socket.slice(facts.baseDir.length + 1) : socket;
    return without.map((name) =>
      warning(
        `service ${name}`,
        `its executable doesn't name the service's socket: ${name.toUpperCase()} sessions have no groups`,
        inService(facts, name, [`executable = ${name} ${word}`]),
      ),
    );
  },
};
