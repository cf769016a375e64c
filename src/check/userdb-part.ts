import { asInPackage } from './blocks.js';
import type { Check } from './check.js';
import type { DovecotFacts, Userdb, UserdbDoor } from './facts.js';
import { error, ok, type PlacedFinding, warning } from './finding.js';
import type { Subject } from './subject.js';

type OwnUserdb = Userdb & { readonly door: UserdbDoor };

/** What is wrong with one part of the userdb that asks acl-groups. */
interface Fault {
  readonly level: 'warning' | 'error';
  /** Goes on from the setting's name. */
  readonly problem: string;
}

/** A check of one part of that userdb, whose fix is to have it as the package's block has it. */
export function userdbPart(
  name: string,
  part: { readonly kind: 'userdb' | 'ldap'; readonly settings: Readonly<Record<DovecotFacts['version'], readonly string[]>> },
  fault: (own: OwnUserdb, facts: DovecotFacts) => Fault | undefined,
): Check {
  return {
    name,
    section: 'dovecot',
    look(subject: Subject): readonly PlacedFinding[] {
      const { facts } = subject;
      const own = facts?.doors.userdb;
      if (facts === undefined || own === undefined) return [];
      const { kind, settings } = part;
      const names = settings[facts.version];
      const place = `userdb ${own.name}`;
      if (kind === 'ldap' && !own.door.readable) return [];
      const found = fault(own, facts);
      if (found === undefined) return [ok(place, `${names[0]} is right`)];
      const fix = asInPackage(kind, names, subject, facts, own);
      return [(found.level === 'error' ? error : warning)(place, `${names[0]} ${found.problem}`, fix)];
    },
  };
}
