import { EqualityFilter, type Filter } from 'ldapts';
import type { Entry } from '../entry.js';
import { SearchFailed } from '../errors.js';
import { anyOf, both } from '../filter.js';
import { batches, type Lookup, searchGroups } from './lookup.js';

/** A security identifier in the form that people know, `S-1-5-21-…` (MS-DTYP 2.4.2): for messages only. */
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

/** The groups below group_base that have one of these SIDs. */
export async function groupsBySid(lookup: Lookup, sids: readonly Buffer[], attributes: readonly string[] = []): Promise<readonly Entry[]> {
  const isGroup = lookup.plan.strategy === 'search' ? undefined : lookup.plan.group.filter.fill({});
  return searchSids(sids, 'objectSid', (filter) => searchGroups(lookup, both(filter, isGroup), ['objectSid', ...attributes]));
}

/**
 * Says what became of groups that the server names by SIDs and that aren't below group_base. One that is elsewhere in the domain was
 * ignored on purpose (everybody is in groups of Builtin), and one that was moved has an entry under another SID. What has no entry
 * at all for this bind is a group that the user loses.
 */
export async function loseUnfound(lookup: Lookup, source: string, sids: readonly Buffer[]): Promise<void> {
  const { search, plan, found, log, directory, signal } = lookup;
  const left = new Map(sids.map((sid) => [formatSid(sid), sid]));
  for (const attribute of ['objectSid', 'sIDHistory']) {
    if (left.size === 0) break;
    const { domain } = await directory.facts(signal);
    const elsewhere = await searchSids([...left.values()], attribute, async (filter) => {
      try {
        return (await search({ base: domain, scope: 'sub', filter, attributes: [attribute] })).entries;
      } catch (error) {
        // What can't be found out is reported as if it were not there: the login has its other groups.
        if (error instanceof SearchFailed) return [];
        throw error;
      }
    });
    for (const entry of elsewhere) for (const sid of entry.bytes(attribute)) left.delete(formatSid(sid));
  }
  for (const sid of left.keys()) found.lose({ name: sid }, unreadable(source));
  const outside = sids.map(formatSid).filter((sid) => !left.has(sid));
  if (outside.length > 0) log.debug(() => `${source} has groups that are not below "${plan.group.base}": ${outside.join(', ')}`);
}

/** Why a group that a server names can't be granted. */
export function unreadable(source: string): string {
  return `${source} names it, but its entry is not there, or may not be read by this bind`;
}

/** Searches for entries whose `attribute` is one of these SIDs, in as many searches as it takes. */
async function searchSids(
  sids: readonly Buffer[],
  attribute: string,
  search: (filter: Filter) => Promise<readonly Entry[]>,
): Promise<readonly Entry[]> {
  const results = await Promise.all(
    batches(sids).map(async (batch) => {
      const any = anyOf(batch.map((value) => new EqualityFilter({ attribute, value })));
      return any === undefined ? [] : search(any);
    }),
  );
  return results.flat();
}
