import { parseFilter } from '../../../ldap/filter.js';
import { type Finding, isEntry, lost } from '../found.js';
import { type Lookup, searchGroups } from '../lookup.js';
import { groupsBySid, NO_PRIMARY, primarySid, unfound } from './token-groups.js';

const BY_GID = parseFilter('(&(objectClass=posixGroup)(gidNumber={gid}))', ['gid'], '');
const IGNORE = 'to ignore primary groups, set primary_group = false';

/** The user's primary group, which no member list and no memberOf has. Several groups may have its number. */
export async function primaryGroups(lookup: Lookup, attributes: readonly string[] = []): Promise<readonly Finding[]> {
  if (lookup.plan.primary === 'primaryGroupID') return byRelativeId(lookup, attributes);
  return lookup.plan.primary === 'gidNumber' ? byGidNumber(lookup, attributes) : [];
}

async function byGidNumber(lookup: Lookup, attributes: readonly string[]): Promise<readonly Finding[]> {
  const { user, plan } = lookup;
  const [gid] = user.texts('gidNumber');
  if (gid === undefined) {
    // Every entry has a class, and posixAccount requires gidNumber; who is of another class has none (RFC 2307, 3).
    const classes = user.texts('objectClass').map((each) => each.toLowerCase());
    const isHidden = classes.length === 0 || classes.includes('posixaccount');
    return isHidden ? [lost({ name: 'primary group' }, `gidNumber of the user may not be read by this bind; ${IGNORE}`)] : [];
  }
  const filter = BY_GID.fill({ gid: [gid] });
  const groups = filter === undefined ? [] : await searchGroups(lookup, filter, attributes);
  if (groups.some(isEntry)) return groups;
  const reason = `no group in "${plan.group.base}" has this gidNumber, or this bind may not read it; ${IGNORE}`;
  return [...groups, lost({ name: gid, gid: Number(gid) }, reason)];
}

async function byRelativeId(lookup: Lookup, attributes: readonly string[]): Promise<readonly Finding[]> {
  const sid = primarySid(lookup.user);
  if (sid === undefined) return [lost({ name: 'primary group' }, `${NO_PRIMARY}; ${IGNORE}`)];
  const groups = await groupsBySid(lookup, [sid], attributes);
  return groups.some(isEntry) ? groups : [...groups, ...(await unfound(lookup, 'primaryGroupID', [sid]))];
}
