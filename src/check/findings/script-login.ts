import { inService } from '../blocks.js';
import type { Check } from '../check.js';
import { isExecutable } from '../files.js';
import { error, ok } from '../finding.js';

/** Whether script-login can start acl-groups. */
export const scriptLogin: Check = {
  name: 'script-login',
  section: 'dovecot',
  look({ facts, command }) {
    if (facts === undefined) return [];
    const services = [...new Set(facts.doors.scriptLogin.values())];
    return services.map(({ name, executable }) => {
      const program = executable.find((word) => /(^|\/)acl-groups$/.test(word)) ?? '';
      const place = `service ${name}`;
      const lines = [`executable = ${executable.map((word) => (word === program ? command : word)).join(' ')}`];
      if (!program.startsWith('/')) {
        return error(place, `script-login's argument "${program}" has no full path: logins are denied`, inService(facts, name, lines));
      }
      if (!isExecutable(program))
        return error(place, `script-login's argument ${program} can't be executed: logins are denied`, inService(facts, name, lines));
      return ok(place, `script-login's argument is ${program}`);
    });
  },
};
