import { allValues } from '../../../ldap/client.js';
import { text } from '../../../ldap/entry.js';
import { ProviderError } from '../../../support/errors.js';
import { type Finding, lost } from '../found.js';
import { climb, inBatches, type Lookup, searchGroups } from '../lookup.js';
import { primaryGroups } from './primary.js';

/** Searches for groups that have the user as a member, then for those that have these as members, and so on. */
export async function bySearch(lookup: Lookup): Promise<void> {
  const { plan, user, found, directory } = lookup;
  const { base, filter } = plan.group;
  const uids = await uidsOf(lookup);
  const direct = filter.fill({ dn: [user.dn], uid: uids });
  const { uidAttribute } = plan.user;
  if (direct === undefined) throw new ProviderError('ldap', `"${user.dn}" has no ${uidAttribute}, which group_filter needs for {uid}`);
  const isNameless = uids.length === 0 && filter.placeholders.has('uid');
  const nameless = `the user has no ${uidAttribute}, or this bind may not read it, and group_filter needs it for {uid}`;
  const [primary, groups] = await Promise.all([primaryGroups(lookup), searchGroups(lookup, direct)]);
  // A group that is found shows that its attribute can be searched for, but not that another one can.
  const doubtful = groups.length > 0 && filter.attributes.length === 1 ? [] : filter.attributes;
  const hint = filter.attributes.length > 1 ? '; if no group has it, take it out of group_filter' : '';
  const unseen = await Promise.all(doubtful.map((each) => directory.unlessVisible('search', 'group_base', base, each, { hint })));
  const unnamed = isNameless ? [lost({ name: `groups by ${uidAttribute}` }, nameless)] : [];
  const findings = [...primary, ...groups, ...unseen.flat(), ...unnamed];
  if (!filter.placeholders.has('dn')) found.add(findings);
  else {
    const above = (members: readonly { readonly dn: string }[]): Promise<readonly Finding[]> =>
      inBatches(
        members.map(({ dn }) => dn),
        async (batch) => {
          const any = filter.fillAny('dn', batch);
          return any === undefined ? [] : searchGroups(lookup, any);
        },
      );
    await climb(lookup, findings, above);
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
