import type { Entry } from '../entry.js';
import { parseFilter } from '../filter.js';
import { type Lookup, searchGroups } from './lookup.js';
import { groupsBySid, loseUnfound, NO_PRIMARY, primarySid } from './token-groups.js';

const BY_GID = parseFilter('(&(objectClass=posixGroup)(gidNumber={gid}))', ['gid'], '');
const IGNORE = 'to ignore primary groups, set primary_group = false';

/** The user's primary group, which no member list and no memberOf has. Several groups may have its number. */
export async function primaryGroups(lookup: Lookup, attributes: readonly string[] = []): Promise<readonly Entry[]> {
  if (lookup.plan.primary === 'primaryGroupID') return byRelativeId(lookup, attributes);
  return lookup.plan.primary === 'gidNumber' ? byGidNumber(lookup, attributes) : [];
}

async function byGidNumber(lookup: Lookup, attributes: readonly string[]): Promise<readonly Entry[]> {
  const { user, userBase, plan, found, directory } = lookup;
  const [gid] = user.texts('gidNumber');
  if (gid === undefined) {
    await directory.requireVisible('read', 'user_base', userBase, 'gidNumber');
    return [];
  }
  const filter = BY_GID.fill({ gid: [gid] });
  const groups = filter === undefined ? [] : await searchGroups(lookup, filter, attributes);
  if (groups.length === 0) {
    const reason = `no group in "${plan.group.base}" has this gidNumber, or this bind may not read it; ${IGNORE}`;
    found.lose({ name: gid, gid: Number(gid) }, reason);
  }
  return groups;
}

async function byRelativeId(lookup: Lookup, attributes: readonly string[]): Promise<readonly Entry[]> {
  const sid = primarySid(lookup.user);
  if (sid === undefined) {
    lookup.found.lose({ name: 'primary group' }, `${NO_PRIMARY}; ${IGNORE}`);
    return [];
  }
  const groups = await groupsBySid(lookup, [sid], attributes);
  if (groups.length === 0) await loseUnfound(lookup, 'primaryGroupID', [sid]);
  return groups;
}
