import { ProviderError } from '../../../support/errors.js';
import type { Group } from '../../provider.js';
import { namingValue } from '../dn.js';
import { type Entry, text } from '../entry.js';
import type { Plan } from '../plan.js';
import { quoted } from '../user.js';

/** The groups of one user so far. An entry is told from others by its DN as the server spells it: a server spells it the same each time. */
export class Found {
  readonly #max: number;
  readonly #user: string;
  readonly #entries = new Map<string, Entry>();
  readonly #lost = new Map<string, Group>();

  constructor(max: number, user: string) {
    this.#max = max;
    this.#user = user;
  }

  /** Adds groups, and returns those that are new. @throws ProviderError when they become too many */
  add(entries: readonly Entry[]): readonly Entry[] {
    const fresh = entries.filter((entry) => {
      if (this.#entries.has(entry.dn)) return false;
      if (!entry.isAddressable) {
        this.lose({ name: entry.dn, dn: entry.dn }, 'its DN is not UTF-8, so that it can not be told from others');
        return false;
      }
      return this.#entries.set(entry.dn, entry);
    });
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

  /** Notes what the user should have, and can't be given. */
  lose(what: Pick<Group, 'name' | 'dn' | 'gid'>, reason: string): void {
    this.#lost.set(what.name, { ...what, skip: reason, incomplete: true });
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
