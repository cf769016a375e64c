import { EqualityFilter, type Filter, NotFilter } from 'ldapts';
import { ProviderError } from '../../../support/errors.js';
import { ancestors } from '../dn.js';
import { allValues, type Entry, text } from '../entry.js';
import { RESULT, SearchFailed } from '../errors.js';
import { ANYTHING, anyOf, both } from '../filter.js';
import { batches, type Lookup, searchGroups } from './lookup.js';
import { primaryGroups } from './primary.js';
import { unreadable } from './sids.js';

/** Values that batches leave open are asked for one by one, so many for a user. */
const MOST_SINGLE_QUESTIONS = 20;

/** Follows memberOf from the user. The names come from the entries that it points to: its values need not be spelled like them. */
export async function byMemberOf(lookup: Lookup): Promise<void> {
  const { plan, user, userBase, found, directory, signal } = lookup;
  if (plan.nestingLevel === 0 && (await directory.facts(signal)).transitiveMemberOf) {
    throw new ProviderError(
      'ldap',
      'nesting_level: 0 is not possible: the memberOf of this server has nested groups too; use group_strategy = "search"',
    );
  }
  const dnAttribute = await directory.dnAttribute('group_base', plan.group.base, signal);
  if (dnAttribute === undefined) {
    throw new ProviderError('ldap', 'this server finds no entry by its entryDN, which "memberof" needs; use group_strategy = "search"');
  }
  const [primary, direct] = await Promise.all([primaryGroups(lookup, ['memberOf']), targets(lookup, user)]);
  if (direct.length === 0) await directory.requireVisible('user_base', userBase, 'memberOf', signal);
  const seen = new Set<string>();
  const questions = { left: MOST_SINGLE_QUESTIONS };
  let frontier = found.add(primary);
  let next = [...direct, ...(plan.nestingLevel > 0 ? await targetsOfAll(lookup, frontier) : [])];
  for (let level = 0; ; level++) {
    const fresh = [...new Set(next)].filter((dn) => !seen.has(dn) && !found.has(dn));
    if (fresh.length === 0) return;
    found.atMost(fresh.length);
    for (const dn of fresh) seen.add(dn);
    const groups = await Promise.all(batches(fresh).map((batch) => groupsAt(lookup, dnAttribute, batch, questions)));
    frontier = found.add(groups.flat());
    if (level >= plan.nestingLevel) return;
    next = [...(await targetsOfAll(lookup, frontier))];
  }
}

async function targetsOfAll(lookup: Lookup, entries: readonly Entry[]): Promise<readonly string[]> {
  return (await Promise.all(entries.map((entry) => targets(lookup, entry)))).flat();
}

/** The DNs in an entry's memberOf. */
async function targets({ read, found }: Lookup, entry: Entry): Promise<readonly string[]> {
  const values = await allValues(read, entry, 'memberOf');
  return values.flatMap((value) => {
    const dn = text(value);
    if (dn === undefined) found.lose({ name: value.toString() }, `memberOf of "${entry.dn}" names it, and is not UTF-8`);
    return dn ?? [];
  });
}

/** The groups among the entries with these DNs; what becomes of each of the others is found out. */
async function groupsAt(
  lookup: Lookup,
  dnAttribute: string,
  dns: readonly string[],
  questions: { left: number },
): Promise<readonly Entry[]> {
  const { plan, search } = lookup;
  const isGroup = plan.group.filter.fill({}) ?? new NotFilter({ filter: ANYTHING });
  const among = (values: readonly string[]) =>
    anyOf(values.map((value) => new EqualityFilter({ attribute: dnAttribute, value }))) ?? ANYTHING;
  const groups = await searchGroups(lookup, both(among(dns), isGroup), ['memberOf']);
  let open = unaccounted(dns, groups);
  if (open.length === 0) return groups;
  // What is below group_base and is no group is known as well.
  const isNone = new NotFilter({ filter: both(isGroup, plan.group.condition) });
  const others = await search({ base: plan.group.base, scope: 'sub', filter: both(among(dns), isNone), attributes: ['1.1'] });
  open = unaccounted(dns, [...groups, ...others.entries]);
  const asked = open.slice(0, questions.left);
  questions.left -= asked.length;
  const known = new Set([...groups, ...others.entries].map(({ dn }) => dn));
  await Promise.all(asked.map((dn) => requireElsewhere(lookup, dnAttribute, dn, known)));
  if (open.length > asked.length) {
    lookup.found.lose(
      { name: `${open.length - asked.length} more` },
      `memberOf names so many entries more that are not below group_base "${plan.group.base}", or may not be read by this bind`,
    );
  }
  return groups;
}

/** The DNs that none of the entries can have. A server may spell a value otherwise than the entry's DN: then only their number tells. */
function unaccounted(dns: readonly string[], entries: readonly Entry[]): readonly string[] {
  const names = new Set(entries.map(({ dn }) => dn));
  const open = dns.filter((dn) => !names.has(dn));
  const values = new Set(dns);
  const spare = entries.filter(({ dn }) => !values.has(dn)).length;
  return spare >= open.length ? [] : open;
}

/** Reports a DN that leads to no group, unless it is outside of group_base: that is asked of the server, which alone knows what equals what. */
async function requireElsewhere(lookup: Lookup, dnAttribute: string, dn: string, known: ReadonlySet<string>): Promise<void> {
  const { plan, search, found, log } = lookup;
  const at = async (base: string, filter: Filter): Promise<Entry | undefined> => {
    try {
      return (await search({ base, scope: 'base', filter, attributes: ['1.1'] })).entries[0];
    } catch (error) {
      if (error instanceof SearchFailed && NOT_THERE.has(error.code)) return undefined;
      throw error;
    }
  };
  const entry = await at(dn, ANYTHING);
  if (entry !== undefined && known.has(entry.dn)) return;
  const { base } = plan.group;
  const above = anyOf(ancestors(dn).map((value) => new EqualityFilter({ attribute: dnAttribute, value })));
  // Where group_base itself can't be read, nothing tells.
  if (above !== undefined && (await at(base, above)) === undefined && (await at(base, ANYTHING)) !== undefined) {
    log.debug(() => `memberOf has "${dn}", which is not below "${base}"`);
  } else if (entry === undefined) found.lose({ name: dn, dn }, unreadable('memberOf'));
  else found.lose({ name: dn, dn }, 'memberOf names it, and this bind may not read what group_filter asks of its entry');
}

const NOT_THERE: ReadonlySet<number> = new Set([RESULT.noSuchObject, RESULT.referral, RESULT.invalidDn]);
