import { ProviderError } from '../../../support/errors.js';
import type { Group } from '../../provider.js';
import { namingValue } from '../dn.js';
import { Entry, text } from '../entry.js';
import type { Plan } from '../plan.js';
import { quoted } from '../user.js';

/** A group that the user should have, and can't be given. */
export type Lost = Group & { readonly skip: string; readonly incomplete: true };

/** What searches find, in the order of the questions: questions that are asked at once are answered in any order. */
export type Finding = Entry | Lost;

export function lost(what: Pick<Group, 'name' | 'dn' | 'gid'>, reason: string): Lost {
  return { ...what, skip: reason, incomplete: true };
}

export function isEntry(finding: Finding): finding is Entry {
  return finding instanceof Entry;
}

/** The groups of one user so far. An entry is told from others by its DN as the server spells it: a server spells it the same each time. */
export class Found {
  readonly #max: number;
  readonly #user: string;
  readonly #entries = new Map<string, Entry>();
  readonly #lost = new Map<string, Lost>();

  constructor(max: number, user: string) {
    this.#max = max;
    this.#user = user;
  }

  /** Adds what was found, and returns the groups that are new. @throws ProviderError when they become too many */
  add(findings: readonly Finding[]): readonly Entry[] {
    const fresh: Entry[] = [];
    for (const each of findings) {
      if (!isEntry(each)) this.#lost.set(each.name, each);
      else if (!each.isAddressable) {
        this.add([lost({ name: each.dn, dn: each.dn }, 'its DN is not UTF-8, so that it can not be told from others')]);
      } else if (!this.has(each.dn)) {
        this.#entries.set(each.dn, each);
        fresh.push(each);
      }
    }
    this.atMost(this.#entries.size);
    return fresh;
  }

  has(dn: string): boolean {
    return this.#entries.has(dn);
  }

  /** @throws ProviderError for more groups than are allowed */
  atMost(count: number): void {
    if (count > this.#max)
      throw new ProviderError('ldap', `"${this.#user}" is in more than ${this.#max} groups; to allow more, set max_groups`);
  }

  list({ nameAttribute, prefix }: Plan['group']): readonly Group[] {
    const byName = new Map<string, { readonly group: Group; readonly dns: string[]; readonly warnings: string[] }>();
    const unnamed: Group[] = [];
    for (const entry of this.#entries.values()) {
      const [gidNumber] = entry.texts('gidNumber');
      const known = { dn: entry.dn, ...(gidNumber !== undefined && /^\d+$/.test(gidNumber) && { gid: Number(gidNumber) }) };
      const values = entry.bytes(nameAttribute);
      const names = values.flatMap((value) => text(value) ?? []);
      // Of several names the one that the entry is named by, as other tools take it.
      const naming = names.length > 1 ? namingValue(entry.dn, nameAttribute) : undefined;
      const name = names.find((each) => each === naming) ?? names[0];
      if (name === undefined) {
        const reason = values.length > 0 ? `its ${nameAttribute} is not UTF-8` : `it has no ${nameAttribute}, or this bind may not read it`;
        unnamed.push({ name: entry.dn, ...known, skip: reason, incomplete: values.length === 0 });
        continue;
      }
      const other = byName.get(name);
      if (other !== undefined) other.dns.push(entry.dn);
      else {
        const group = { name: `${prefix}${name}`, ...known };
        byName.set(name, { group, dns: [entry.dn], warnings: values.length > 1 ? [severalNames(nameAttribute, names, name)] : [] });
      }
    }
    const granted = [...byName.values()].map(({ group, dns, warnings }) => {
      if (dns.length > 1) warnings.push(`${dns.length} entries have this name: ${quoted(dns)}; only one group is granted`);
      return warnings.length === 0 ? group : { ...group, warning: warnings.join('; ') };
    });
    return [...granted, ...unnamed, ...this.#lost.values()];
  }
}

function severalNames(attribute: string, names: readonly string[], name: string): string {
  return `its entry has other values of ${attribute}, which are not granted: ${quoted(names.filter((each) => each !== name))}`;
}
