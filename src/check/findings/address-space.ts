import { inService } from '../blocks.js';
import type { Check } from '../check.js';
import { error, ok, type PlacedFinding, warning } from '../finding.js';

/** What any version of Node.js can reserve without failing, as the launcher has it. */
const ENOUGH = 2 * 1024 ** 3;

/** Whether Dovecot's limit of address space leaves Node.js enough, which reserves more than it uses. */
export const addressSpace: Check = {
  name: 'address-space',
  section: 'dovecot',
  look({ facts }) {
    if (facts === undefined) return [];
    const lines = [`vsz_limit = ${facts.version === '2.3' ? '0' : 'unlimited'}`];
    const mib = (bytes: number): string => (bytes === Number.POSITIVE_INFINITY ? 'no limit' : `${Math.floor(bytes / 1024 ** 2)} MiB`);
    const own = facts.own === undefined ? [] : [facts.own];
    return [
      ...own.map(({ name, vszLimit }): PlacedFinding => {
        const place = `service ${name}`;
        if (vszLimit >= ENOUGH) return ok(place, `vsz_limit: ${mib(vszLimit)}`);
        return error(place, `vsz_limit is ${mib(vszLimit)}: Node.js can't run within it`, inService(facts, name, lines));
      }),
      ...[...new Set(facts.doors.scriptLogin.values())].map(({ name, vszLimit }): PlacedFinding => {
        const place = `service ${name}`;
        if (vszLimit >= ENOUGH) return ok(place, `vsz_limit: ${mib(vszLimit)}`);
        return warning(
          place,
          `vsz_limit is ${mib(vszLimit)}: Node.js runs slowly within it, and versions from 24 on not at all below 768 MiB`,
          inService(facts, name, lines),
        );
      }),
    ];
  },
};
