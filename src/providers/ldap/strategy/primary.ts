import type { Entry } from '../entry.js';
import { parseFilter } from '../filter.js';
import { type Lookup, searchGroups } from './lookup.js';
import { groupsBySid, loseUnfound, siblingSid } from './sids.js';

const BY_GID = parseFilter('(&(objectClass=posixGroup)(gidNumber={gid}))', ['gid'], '');

/** Every user of Active Directory has both. */
export const NO_PRIMARY = 'objectSid or primaryGroupID of the user is not there, or may not be read by this bind';

/** The user's primary group, which no member list and no memberOf has. Several groups may have its number. */
export async function primaryGroups(lookup: Lookup, attributes: readonly string[] = []): Promise<readonly Entry[]> {
  if (lookup.plan.primary === 'primaryGroupID') return byRelativeId(lookup, attributes);
  return lookup.plan.primary === 'gidNumber' ? byGidNumber(lookup, attributes) : [];
}

async function byGidNumber(lookup: Lookup, attributes: readonly string[]): Promise<readonly Entry[]> {
  const { user, userBase, plan, found, directory, signal } = lookup;
  const [gid] = user.texts('gidNumber');
  if (gid === undefined) {
    await directory.requireVisible('user_base', userBase, 'gidNumber', signal);
    return [];
  }
  const filter = BY_GID.fill({ gid: [gid] });
  const groups = filter === undefined ? [] : await searchGroups(lookup, filter, attributes);
  if (groups.length === 0) {
    const reason = `no group in "${plan.group.base}" has this gidNumber, or this bind may not read it; to ignore primary groups, set primary_group = false`;
    found.lose({ name: gid, gid: Number(gid) }, reason);
  }
  return groups;
}

async function byRelativeId(lookup: Lookup, attributes: readonly string[]): Promise<readonly Entry[]> {
  const sid = primarySid(lookup.user);
  if (sid === undefined) {
    lookup.found.lose({ name: 'primary group' }, `${NO_PRIMARY}; to ignore primary groups, set primary_group = false`);
    return [];
  }
  const groups = await groupsBySid(lookup, [sid], attributes);
  if (groups.length === 0) await loseUnfound(lookup, 'primaryGroupID', [sid]);
  return groups;
}

/** The SID of a user's primary group; `undefined` where the entry doesn't show it. */
export function primarySid(user: Entry): Buffer | undefined {
  const [sid] = user.bytes('objectSid');
  const [relativeId] = user.texts('primaryGroupID');
  return sid !== undefined && relativeId !== undefined ? siblingSid(sid, Number(relativeId)) : undefined;
}
