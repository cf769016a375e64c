import { type Filter, NotFilter } from 'ldapts';
import { allValues } from '../../../ldap/client.js';
import { ancestors } from '../../../ldap/dn.js';
import { type Entry, text } from '../../../ldap/entry.js';
import { codeOf, RESULT } from '../../../ldap/errors.js';
import { ANYTHING, both } from '../../../ldap/filter.js';
import { ProviderError } from '../../../support/errors.js';
import { type Finding, isEntry, type Lost, lost } from '../found.js';
import { climb, inBatches, isOneOf, type Lookup, searchGroups } from '../lookup.js';
import { primaryGroups } from './primary.js';
import { unreadable } from './token-groups.js';

/** Values that batches leave open are asked for one by one, so many for a user. */
const MOST_SINGLE_QUESTIONS = 20;

/** Follows memberOf from the user. The names come from the entries that it points to: its values need not be spelled like them. */
export async function byMemberOf(lookup: Lookup): Promise<void> {
  const { plan, user, userBase, found, directory } = lookup;
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
  const unseen = user.has('memberOf')
    ? []
    : await directory.unlessVisible('read', 'user_base', userBase, 'memberOf', { groups: plan.group.base });
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

/** The groups among the entries with these DNs, and what became of each of the others. */
async function groupsAt(
  lookup: Lookup,
  dnAttribute: string,
  dns: readonly string[],
  questions: { left: number },
): Promise<readonly Finding[]> {
  const { plan, search } = lookup;
  const { base, condition } = plan.group;
  const isGroup = plan.group.filter.fill({}) ?? new NotFilter({ filter: ANYTHING });
  const known = new Set<string>();
  const groups = await inBatches(dns, async (batch) => {
    const isAmong = isOneOf(dnAttribute, batch);
    const found = await searchGroups(lookup, both(isAmong, isGroup), ['memberOf']);
    const entries = found.filter(isEntry);
    for (const { dn } of entries) known.add(dn);
    if (entries.length < batch.length) {
      // What is below group_base and is no group is known as well.
      const isNone = both(isAmong, new NotFilter({ filter: both(isGroup, condition) }));
      const others = await search({ base, scope: 'sub', filter: isNone, attributes: ['1.1'] });
      for (const { dn } of others.entries) known.add(dn);
    }
    return found;
  });
  // A server may spell a value otherwise than the entry's DN: then only their number tells.
  const absent = dns.length - known.size;
  if (absent <= 0) return groups;
  const open = dns.filter((dn) => !known.has(dn));
  const asked = open.slice(0, questions.left);
  questions.left -= asked.length;
  const accounts = await Promise.all(asked.map((dn) => accountFor(lookup, dnAttribute, dn, known)));
  const findings = [...groups, ...accounts.filter((account) => typeof account === 'object')];
  const rest = Math.min(open.length - asked.length, absent - accounts.filter((account) => account !== 'known').length);
  if (rest > 0) {
    const reason = `memberOf names so many entries more that are not below group_base "${base}", or may not be read by this bind`;
    findings.push(lost({ name: `${rest} more` }, reason));
  }
  return findings;
}

/**
 * What a DN that leads to no group is: another spelling of a `known` entry, outside of group_base, or lost. That is asked of the server,
 * which alone knows what equals what.
 */
async function accountFor(
  lookup: Lookup,
  dnAttribute: string,
  dn: string,
  known: ReadonlySet<string>,
): Promise<Lost | 'known' | 'outside'> {
  const { plan, search, log } = lookup;
  const { base } = plan.group;
  const at = async (where: string, filter: Filter): Promise<Entry | undefined> => {
    try {
      return (await search({ base: where, scope: 'base', filter, attributes: ['1.1'] })).entries[0];
    } catch (error) {
      if (NOT_THERE.has(codeOf(error))) return undefined;
      throw error;
    }
  };
  const entry = await at(dn, ANYTHING);
  if (entry !== undefined && known.has(entry.dn)) return 'known';
  const above = ancestors(dn);
  // Where group_base itself can't be read, nothing tells.
  const isOutside =
    above.length > 0 && (await at(base, isOneOf(dnAttribute, above))) === undefined && (await at(base, ANYTHING)) !== undefined;
  if (isOutside) {
    log.debug(() => `memberOf has "${dn}", which is not below "${base}"`);
    return 'outside';
  }
  const reason =
    entry === undefined ? unreadable('memberOf') : 'memberOf names it, and this bind may not read what group_filter asks of its entry';
  return lost({ name: dn, dn }, reason);
}

const NOT_THERE: ReadonlySet<number | undefined> = new Set([RESULT.noSuchObject, RESULT.referral, RESULT.invalidDn]);
