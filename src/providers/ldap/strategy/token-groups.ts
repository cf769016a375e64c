import { ProviderError } from '../../../support/errors.js';
import { ANYTHING } from '../filter.js';
import type { Lookup } from './lookup.js';
import { NO_PRIMARY, primarySid } from './primary.js';
import { formatSid, groupsBySid, loseUnfound } from './sids.js';

/** Takes the list of groups that Active Directory makes for a login: security groups, nested ones and the primary group included. */
export async function byTokenGroups(lookup: Lookup): Promise<void> {
  const { plan, user, read, found } = lookup;
  const entry = await read(user.dn, ANYTHING, ['tokenGroups']);
  const tokens = entry?.bytes('tokenGroups') ?? [];
  // Everybody has a primary group, so that an empty list is one that may not be read.
  if (tokens.length === 0) throw new ProviderError('ldap', `tokenGroups of "${user.dn}" is empty: this bind may not read it`);
  const primary = primarySid(user);
  if (primary === undefined && plan.primary === undefined)
    throw new ProviderError('ldap', `"${user.dn}": ${NO_PRIMARY}, which primary_group = false needs`);
  const isPrimary = (sid: Buffer): boolean => primary !== undefined && sid.equals(primary);
  const sids = [...tokens.filter(isPrimary), ...tokens.filter((sid) => !isPrimary(sid))];
  const wanted = plan.primary === undefined ? sids.filter((sid) => !isPrimary(sid)) : sids;
  found.atMost(wanted.length);
  const entries = await groupsBySid(lookup, wanted);
  const bySid = new Map(entries.flatMap((group) => group.bytes('objectSid').map((sid) => [formatSid(sid), group] as const)));
  found.add(wanted.flatMap((sid) => bySid.get(formatSid(sid)) ?? []));
  await loseUnfound(
    lookup,
    'tokenGroups',
    wanted.filter((sid) => !bySid.has(formatSid(sid))),
  );
}
