import { EqualityFilter, type Filter, NotFilter } from 'ldapts';
import { allValues } from '../../../ldap/client.js';
import { ancestors } from '../../../ldap/dn.js';
import { type Entry, text } from '../../../ldap/entry.js';
import { codeOf, RESULT } from '../../../ldap/errors.js';
import { ANYTHING, both } from '../../../ldap/filter.js';
import { ProviderError } from '../../../support/errors.js';
import { type Finding, isEntry, type Lost, lost, quoted } from '../found.js';
import { climb, inBatches, isOneOf, type Lookup, searchGroups, showsItsKind } from '../lookup.js';
import { primaryGroups } from './primary.js';
import { unreadable } from './token-groups.js';

/** Values that batches leave open are asked for one by one, so many for a user. */
const MOST_SINGLE_QUESTIONS = 20;

/** Follows memberOf from the user. The names come from the entries that it points to: its values need not be spelled like them. */
export async function byMemberOf(lookup: Lookup): Promise<void> {
  const { plan, user, found, directory } = lookup;
  if (plan.nestingLevel === 0 && (await directory.facts()).transitiveMemberOf) {
    throw new ProviderError(
      'ldap',
      'nesting_level: 0 is not possible: the memberOf of this server has nested groups too; use group_strategy = "search"',
    );
  }
  const dnAttribute = await directory.dnAttribute('group_base', plan.group.base);
  if (dnAttribute === undefined) {
    throw new ProviderError('ldap', 'this server finds no entry by its entryDN, which "memberof" needs; use group_strategy = "search"');
  }
  const seen = new Set<string>();
  const questions = { left: MOST_SINGLE_QUESTIONS };
  /** What the memberOf of entries leads to, and nothing that was asked for before. */
  const above = async (entries: readonly Entry[]): Promise<readonly Finding[]> => {
    const named = await targets(lookup, entries);
    const dns = named.filter((target) => typeof target === 'string');
    const fresh = [...new Set(dns)].filter((dn) => !seen.has(dn) && !found.has(dn));
    for (const dn of fresh) seen.add(dn);
    found.atMost(fresh.length);
    const lostHere = named.filter((target) => typeof target !== 'string');
    return fresh.length === 0 ? lostHere : [...lostHere, ...(await groupsAt(lookup, dnAttribute, fresh, questions))];
  };
  const [primary, direct] = await Promise.all([primaryGroups(lookup, ['memberOf']), above([user])]);
  const unseen = user.has('memberOf') ? [] : await unnamed(lookup);
  let isFirst = true;
  await climb(lookup, [...primary, ...direct, ...unseen], async (groups) => {
    // Where the user's memberOf has nested groups too, theirs isn't needed.
    const isNeeded = isFirst && !groups.some((group) => group.has('memberOf')) && !(await directory.facts()).transitiveMemberOf;
    isFirst = false;
    const hint = '; if no group is in another, set nesting_level = 0';
    return isNeeded ? directory.unlessVisible('read', 'group_base', plan.group.base, 'memberOf', { hint }) : above(groups);
  });
}

/** The DNs in the memberOf of entries. */
async function targets({ search }: Lookup, entries: readonly Entry[]): Promise<readonly (string | Lost)[]> {
  const lists = await Promise.all(
    entries.map(async (entry) => {
      const values = await allValues(search, entry, 'memberOf');
      return values.map((value) => text(value) ?? lost({ name: value.toString() }, `memberOf of "${entry.dn}" names it, and is not UTF-8`));
    }),
  );
  return lists.flat();
}

/** What is lost by a user's memberOf that has no values: it may be hidden, or not be kept for groups that are older than the overlay. */
async function unnamed(lookup: Lookup): Promise<readonly Lost[]> {
  const { user, userBase, plan, directory } = lookup;
  const isMember = new EqualityFilter({ attribute: 'member', value: user.dn });
  const groups = await searchGroups(lookup, both(isMember, isGroup(lookup)));
  if (groups.length === 0) return directory.unlessVisible('read', 'user_base', userBase, 'memberOf', { groups: plan.group.base });
  const reason = 'it has the user as a member, but the memberOf of the user has no values, or may not be read by this bind';
  return groups.map((group) => (isEntry(group) ? lost({ name: group.dn, dn: group.dn }, reason) : group));
}

function isGroup({ plan }: Lookup): Filter {
  return plan.group.filter.fill({}) ?? new NotFilter({ filter: ANYTHING });
}

/** The groups among the entries with these DNs, and what became of each of the others. */
async function groupsAt(
  lookup: Lookup,
  dnAttribute: string,
  dns: readonly string[],
  questions: { left: number },
): Promise<readonly Finding[]> {
  const { plan, search, log } = lookup;
  const { base, condition } = plan.group;
  const known = new Set<string>();
  const groups = await inBatches(dns, async (batch) => {
    const isAmong = isOneOf(dnAttribute, batch);
    const found = await searchGroups(lookup, both(isAmong, isGroup(lookup)), ['memberOf']);
    const entries = found.filter(isEntry);
    for (const { dn } of entries) known.add(dn);
    if (entries.length < batch.length) {
      // What is below group_base and is no group is known as well.
      const isNone = both(isAmong, new NotFilter({ filter: both(isGroup(lookup), condition) }));
      const others = await search({ base, scope: 'sub', filter: isNone, attributes: plan.group.kindAttributes });
      for (const entry of others.entries) if (showsItsKind(lookup, entry)) known.add(entry.dn);
    }
    return found;
  });
  // A server may spell a value otherwise than the entry's DN: then only their number tells.
  if (known.size >= dns.length) return groups;
  const unknown = dns.filter((dn) => !known.has(dn));
  const places = [...new Set(unknown.map((dn) => ancestors(dn)[0] ?? ''))];
  const isOutside = await Promise.all(places.slice(0, MOST_SINGLE_QUESTIONS).map((place) => isElsewhere(lookup, dnAttribute, place)));
  const outside = new Set(places.filter((_, index) => isOutside[index]));
  const open = unknown.filter((dn) => !outside.has(ancestors(dn)[0] ?? ''));
  if (outside.size > 0) log.debug(() => `memberOf has entries below ${quoted([...outside])}, which are not below "${base}"`);
  const asked = open.slice(0, questions.left);
  questions.left -= asked.length;
  const accounts = await Promise.all(asked.map((dn) => accountFor(lookup, dn, known)));
  const lostHere = accounts.filter((account) => account !== 'known');
  const rest = Math.min(open.length - asked.length, dns.length - known.size - (unknown.length - open.length) - lostHere.length);
  const reason = `memberOf names so many entries more that are not below group_base "${base}", or may not be read by this bind`;
  return [...groups, ...lostHere, ...(rest > 0 ? [lost({ name: `${rest} more` }, reason)] : [])];
}

/** Whether what is directly below an entry is outside of group_base: the server is asked, which alone knows what equals what. */
async function isElsewhere(lookup: Lookup, dnAttribute: string, parent: string): Promise<boolean> {
  const { base } = lookup.plan.group;
  if (parent === '') return false;
  const isAbove = isOneOf(dnAttribute, [parent, ...ancestors(parent)]);
  // Where group_base itself can't be read, nothing tells.
  return (await at(lookup, base, isAbove)) === undefined && (await at(lookup, base, ANYTHING)) !== undefined;
}

/** What a DN that leads to no group is: another spelling of a `known` entry, or lost. */
async function accountFor(lookup: Lookup, dn: string, known: ReadonlySet<string>): Promise<Lost | 'known'> {
  const entry = await at(lookup, dn, ANYTHING);
  if (entry === undefined) return lost({ name: dn, dn }, unreadable('memberOf'));
  if (known.has(entry.dn)) return 'known';
  return lost({ name: dn, dn }, 'memberOf names it, and this bind may not read what group_filter asks of its entry');
}

/** The entry with this DN, if it is there for this bind, and matches. */
async function at({ search }: Lookup, base: string, filter: Filter): Promise<Entry | undefined> {
  try {
    return (await search({ base, scope: 'base', filter, attributes: ['1.1'] })).entries[0];
  } catch (error) {
    if (NOT_THERE.has(codeOf(error))) return undefined;
    throw error;
  }
}

const NOT_THERE: ReadonlySet<number | undefined> = new Set([
  RESULT.noSuchObject,
  RESULT.referral,
  RESULT.invalidDn,
  RESULT.insufficientAccess,
]);
