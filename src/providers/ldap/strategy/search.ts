import { ProviderError } from '../../../support/errors.js';
import { allValues } from '../client.js';
import { text } from '../entry.js';
import { isEntry } from './found.js';
import { inBatches, type Lookup, searchGroups } from './lookup.js';
import { primaryGroups } from './primary.js';

/** Searches for groups that have the user as a member, then for those that have these as members, and so on. */
export async function bySearch(lookup: Lookup): Promise<void> {
  const { plan, user, found, directory } = lookup;
  const { base, filter } = plan.group;
  const direct = filter.fill({ dn: [user.dn], uid: await uidsOf(lookup) });
  if (direct === undefined)
    throw new ProviderError('ldap', `"${user.dn}" has no ${plan.user.uidAttribute}, which group_filter needs for {uid}`);
  const [primary, entries] = await Promise.all([primaryGroups(lookup), searchGroups(lookup, direct)]);
  // A group that is found shows that its attribute can be searched for, but not that another one can.
  const doubtful = entries.some(isEntry) && filter.attributes.length === 1 ? [] : filter.attributes;
  for (const attribute of doubtful) await directory.requireVisible('search', 'group_base', base, attribute);
  let frontier = found.add([...primary, ...entries]);
  if (!filter.placeholders.has('dn')) return;
  for (let level = 0; level < plan.nestingLevel && frontier.length > 0; level++) {
    const dns = frontier.map(({ dn }) => dn);
    const parents = await inBatches(dns, async (batch) => {
      const any = filter.fillAny('dn', batch);
      return any === undefined ? [] : searchGroups(lookup, any);
    });
    frontier = found.add(parents);
  }
}

/** What {uid} stands for: the user's own spellings, since memberUid distinguishes case. */
async function uidsOf({ search, user, plan }: Lookup): Promise<readonly string[]> {
  if (!plan.group.filter.placeholders.has('uid')) return [];
  const values = await allValues(search, user, plan.user.uidAttribute);
  return values.map((value) => {
    const uid = text(value);
    if (uid === undefined)
      throw new ProviderError('ldap', `"${user.dn}": ${plan.user.uidAttribute} is not UTF-8, so that {uid} can't stand for it`);
    return uid;
  });
}
