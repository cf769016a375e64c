import type { Entry } from '../../../ldap/entry.js';
import { codeOf } from '../../../ldap/errors.js';
import { ANYTHING, both } from '../../../ldap/filter.js';
import { ProviderError } from '../../../support/errors.js';
import { type Finding, isEntry, type Lost, lost } from '../found.js';
import { inBatches, isOneOf, type Lookup, searchGroups, showsItsKind } from '../lookup.js';

/** Every user of Active Directory has both. */
export const NO_PRIMARY = 'objectSid or primaryGroupID of the user is not there, or may not be read by this bind';

/** Takes the list of groups that Active Directory makes for a login: security groups, nested ones and the primary group included. */
export async function byTokenGroups(lookup: Lookup): Promise<void> {
  const { plan, user, search, found } = lookup;
  const { entries } = await search({ base: user.dn, scope: 'base', filter: ANYTHING, attributes: ['tokenGroups'] });
  const tokens = entries[0]?.bytes('tokenGroups') ?? [];
  // Everybody has a primary group, so that an empty list is one that may not be read.
  if (tokens.length === 0) throw new ProviderError('ldap', `tokenGroups of "${user.dn}" is empty: this bind may not read it`);
  const primary = primarySid(user);
  if (primary === undefined && plan.primary === undefined)
    throw new ProviderError('ldap', `"${user.dn}": ${NO_PRIMARY}, which primary_group = false needs`);
  const isPrimary = (sid: Buffer): boolean => primary !== undefined && sid.equals(primary);
  const rest = tokens.filter((sid) => !isPrimary(sid));
  const wanted = plan.primary === undefined ? rest : [...tokens.filter(isPrimary), ...rest];
  found.atMost(wanted.length);
  const groups = await groupsBySid(lookup, wanted);
  const bySid = new Map(groups.filter(isEntry).flatMap((group) => group.bytes('objectSid').map((sid) => [formatSid(sid), group] as const)));
  const others = wanted.filter((sid) => !bySid.has(formatSid(sid)));
  found.add([
    ...wanted.flatMap((sid) => bySid.get(formatSid(sid)) ?? []),
    ...groups.filter((each) => !isEntry(each)),
    ...(await unfound(lookup, 'tokenGroups', others)),
  ]);
}

/** The SID of a user's primary group; `undefined` where the entry doesn't show it. */
export function primarySid(user: Entry): Buffer | undefined {
  const [sid] = user.bytes('objectSid');
  const [relativeId] = user.texts('primaryGroupID');
  return sid !== undefined && relativeId !== undefined ? siblingSid(sid, Number(relativeId)) : undefined;
}

/** The groups below group_base that have one of these SIDs. */
export async function groupsBySid(
  lookup: Lookup,
  sids: readonly Buffer[],
  attributes: readonly string[] = [],
): Promise<readonly Finding[]> {
  const isGroup = lookup.plan.strategy === 'search' ? undefined : lookup.plan.group.filter.fill({});
  return inBatches(sids, (batch) => searchGroups(lookup, both(isOneOf('objectSid', batch), isGroup), ['objectSid', ...attributes]));
}

/**
 * What became of groups that the server names by SIDs and that aren't below group_base. One that is elsewhere in the domain was
 * ignored on purpose (everybody is in groups of Builtin), and one that was moved has an entry under another SID. What has no entry
 * at all for this bind is a group that the user loses.
 */
export async function unfound(lookup: Lookup, source: string, sids: readonly Buffer[]): Promise<readonly Lost[]> {
  const { search, plan, log, directory } = lookup;
  const left = new Map(sids.map((sid) => [formatSid(sid), sid]));
  /** The entries in a part of the domain that have such SIDs. */
  const having = (base: string, attribute: string): Promise<readonly Entry[]> =>
    inBatches([...left.values()], async (batch) => {
      try {
        const attributes = [attribute, ...plan.group.kindAttributes];
        return (await search({ base, scope: 'sub', filter: isOneOf(attribute, batch), attributes })).entries;
      } catch (error) {
        // What can't be found out is reported as if it were not there: the login has its other groups.
        if (codeOf(error) !== undefined) return [];
        throw error;
      }
    });
  for (const attribute of ['objectSid', 'sIDHistory']) {
    if (left.size === 0) break;
    const entries = await having((await directory.facts()).domain, attribute);
    // One that hides what it is may be a group below group_base.
    const below = entries.every((entry) => showsItsKind(lookup, entry)) ? [] : await having(plan.group.base, attribute);
    const hidden = new Set(below.filter((entry) => !showsItsKind(lookup, entry)).map(({ dn }) => dn));
    for (const entry of entries) if (!hidden.has(entry.dn)) for (const sid of entry.bytes(attribute)) left.delete(formatSid(sid));
  }
  const outside = sids.map(formatSid).filter((sid) => !left.has(sid));
  if (outside.length > 0) log.debug(() => `${source} has groups that are not below "${plan.group.base}": ${outside.join(', ')}`);
  return [...left.keys()].map((sid) => lost({ name: sid }, unreadable(source)));
}

/** Why a group that a server names can't be granted. */
export function unreadable(source: string): string {
  return `${source} names it, but its entry is not there, or may not be read by this bind`;
}

/** A security identifier in the form that people know, `S-1-5-21-…` (MS-DTYP 2.4.2): for messages, and as a key. */
export function formatSid(sid: Buffer): string {
  if (sid.length < 8 || sid.length !== 8 + 4 * sid.readUInt8(1)) return `SID 0x${sid.toString('hex')}`;
  const parts = [sid.readUInt8(0), sid.readUIntBE(2, 6)];
  for (let at = 8; at < sid.length; at += 4) parts.push(sid.readUInt32LE(at));
  return `S-${parts.join('-')}`;
}

/** The SID of another object of the same domain: the last part is the object's number in it. */
export function siblingSid(sid: Buffer, relativeId: number): Buffer {
  const sibling = Buffer.from(sid);
  sibling.writeUInt32LE(relativeId, sibling.length - 4);
  return sibling;
}
