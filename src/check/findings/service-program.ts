import { inService } from '../blocks.js';
import type { Check } from '../check.js';
import { isExecutable } from '../files.js';
import { error, ok } from '../finding.js';

/** Whether Dovecot's master can start the service: npm's command is at another place than the Debian package's. */
export const serviceProgram: Check = {
  name: 'service-program',
  section: 'dovecot',
  look({ facts, command }) {
    const own = facts?.own;
    if (facts === undefined || own === undefined) return [];
    const place = `service ${own.name}`;
    const [program = '', ...words] = own.executable;
    if (program.startsWith('/') && isExecutable(program)) return [ok(place, `executable is ${program}`)];
    const lines = [`executable = ${[command, ...words].join(' ')}`];
    return [
      error(place, `executable ${program} can't be executed: the service can't start, and logins fail`, inService(facts, own.name, lines)),
    ];
  },
};
