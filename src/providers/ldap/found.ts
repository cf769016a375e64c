import { namingValue } from '../../ldap/dn.js';
import { Entry } from '../../ldap/entry.js';
import { ProviderError } from '../../support/errors.js';
import type { Group } from '../provider.js';
import type { Plan } from './plan.js';

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
    const named = new Map<string, { readonly group: Group; readonly dns: string[]; readonly others: readonly string[] }>();
    const unnamed: Group[] = [];
    for (const entry of this.#entries.values()) {
      const { dn } = entry;
      const [gidNumber = ''] = entry.texts('gidNumber');
      const known = { dn, ...(/^\d+$/.test(gidNumber) && { gid: Number(gidNumber) }) };
      const names = entry.texts(nameAttribute);
      // Of several names the one that the entry is named by, as other tools take it.
      const naming = names.length > 1 ? namingValue(dn, nameAttribute) : undefined;
      const name = names.find((each) => each === naming) ?? names[0];
      const twin = name === undefined ? undefined : named.get(name);
      if (name === undefined) {
        const incomplete = entry.bytes(nameAttribute).length === 0;
        const skip = incomplete ? `it has no ${nameAttribute}, or this bind may not read it` : `its ${nameAttribute} is not UTF-8`;
        unnamed.push({ name: dn, ...known, skip, incomplete });
      } else if (twin !== undefined) twin.dns.push(dn);
      else named.set(name, { group: { name: `${prefix}${name}`, ...known }, dns: [dn], others: names.filter((each) => each !== name) });
    }
    const granted = [...named.values()].map(({ group, dns, others }) => {
      const warnings: string[] = [];
      if (others.length > 0) warnings.push(`its entry has other values of ${nameAttribute}, which are not granted: ${quoted(others)}`);
      if (dns.length > 1) warnings.push(`${dns.length} entries have this name: ${quoted(dns)}; only one group is granted`);
      return warnings.length === 0 ? group : { ...group, warning: warnings.join('; ') };
    });
    return [...granted, ...unnamed, ...this.#lost.values()];
  }
}

/** The first few of several texts, for a message. */
export function quoted(texts: readonly string[]): string {
  const shown = texts.slice(0, 3).map((each) => `"${each}"`);
  return texts.length > 3 ? `${shown.join(', ')}, …` : shown.join(', ');
}
