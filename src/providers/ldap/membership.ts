import { EqualityFilter, type Filter } from 'ldapts';
import { ProviderError } from '../../support/errors.js';
import type { Logger } from '../../support/log.js';
import type { Group } from '../provider.js';
import { RESULT, SearchFailed, type SearchRequest } from './connection.js';
import { domainOf, fold, isBelow, namingValue, normalizeDn } from './dn.js';
import type { Entry } from './entry.js';
import { anyOf, parseFilter } from './filter.js';
import type { Plan } from './plan.js';
import { allValues } from './range.js';
import { formatSid, siblingSid } from './sid.js';

/** How many values go into one filter, and how long they may be together: what all servers take in one request. */
const BATCH = { values: 100, characters: 16_000 };

/** AD's mark in the root DSE, LDAP_CAP_ACTIVE_DIRECTORY_OID ([MS-ADTS] 3.1.1.3.4.3). Samba has it too. */
const ACTIVE_DIRECTORY = '1.2.840.113556.1.4.800';

/** What finding a user's groups works with. */
export interface Lookup {
  readonly search: (request: SearchRequest) => Promise<readonly Entry[]>;
  readonly plan: Plan;
  /** The user's entry. */
  readonly user: Entry;
  readonly log: Logger;
}

/** The groups that a user's entry is in, primary group first, then by their distance from the user. @throws ProviderError, SearchFailed, ConnectionLost, GivenUp */
export async function groupsOfUser(lookup: Lookup): Promise<readonly Group[]> {
  const { plan } = lookup;
  if (plan.strategy === 'token_groups' || plan.group.filter.usesChainRule) await requireActiveDirectory(lookup);
  const found = new Found(plan.maxGroups, lookup.user.dn);
  if (plan.strategy === 'token_groups') await byTokenGroups(lookup, found);
  else if (plan.strategy === 'memberof') await byMemberOf(lookup, found);
  else await bySearch(lookup, found);
  return found.list(plan.group.nameAttribute);
}

/** The groups so far. Two entries are one group when their DNs are equal, however they are spelled. */
class Found {
  readonly #max: number;
  readonly #user: string;
  readonly #entries = new Map<string, Entry>();
  readonly #unnamed: Group[] = [];

  constructor(max: number, user: string) {
    this.#max = max;
    this.#user = user;
  }

  /** Adds groups, and returns those that are new. @throws ProviderError when they become too many */
  add(entries: readonly Entry[]): readonly Entry[] {
    const fresh = entries.filter((entry) => {
      const key = normalizeDn(entry.dn);
      return !this.#entries.has(key) && this.#entries.set(key, entry);
    });
    this.atMost(this.#entries.size);
    return fresh;
  }

  /** @throws ProviderError for more groups than are allowed */
  atMost(count: number): void {
    if (count > this.#max)
      throw new ProviderError('ldap', `"${this.#user}" is in more than ${this.#max} groups; to allow more, set max_groups`);
  }

  /** Adds what should be a group and has no entry. */
  addUnnamed(group: Group): void {
    this.#unnamed.push(group);
  }

  list(nameAttribute: string): readonly Group[] {
    const groups = [...this.#entries.values()].map((entry) => groupOf(entry, nameAttribute));
    const byName = new Map<string, Group>();
    // A name that several entries share is given once.
    for (const group of [...groups, ...this.#unnamed]) if (!byName.has(group.name)) byName.set(group.name, group);
    return [...byName.values()];
  }
}

function groupOf(entry: Entry, nameAttribute: string): Group {
  const { dn } = entry;
  const names = entry.texts(nameAttribute);
  const [gidNumber] = entry.texts('gidNumber');
  const gid = gidNumber !== undefined && /^\d+$/.test(gidNumber) ? { gid: Number(gidNumber) } : {};
  const name = names.length > 1 ? nameOf(dn, nameAttribute, names) : names[0];
  return name === undefined ? { name: dn, dn, ...gid, skip: `its entry has no ${nameAttribute} that is a text` } : { name, dn, ...gid };
}

/** Of several names the one that the entry is named by, as everybody else's tools take it. */
function nameOf(dn: string, attribute: string, names: readonly string[]): string | undefined {
  const naming = namingValue(dn, attribute);
  return names.find((name) => fold(name) === naming) ?? names[0];
}

/** Searches for groups that have the user as a member, then for those that have these as members, and so on. */
async function bySearch(lookup: Lookup, found: Found): Promise<void> {
  const { plan, user } = lookup;
  const { filter } = plan.group;
  const uids = await allValues(lookup.search, user, plan.user.uidAttribute);
  const direct = filter.fill({ dn: [user.dn], uid: uids });
  if (direct === undefined)
    throw new ProviderError('ldap', `"${user.dn}" has no ${plan.user.uidAttribute}, which group_filter needs for {uid}`);
  const [primary, entries] = await Promise.all([primaryGroups(lookup, found), searchGroups(lookup, direct)]);
  let frontier = found.add([...primary, ...entries]);
  if (!filter.placeholders.has('dn')) return;
  for (let level = 0; level < plan.nestingLevel && frontier.length > 0; level++) {
    const dns = frontier.map(({ dn }) => dn);
    const parents = await Promise.all(
      batches(dns).map(async (batch) => {
        const any = filter.fillAny('dn', batch);
        return any === undefined ? [] : searchGroups(lookup, any);
      }),
    );
    frontier = found.add(parents.flat());
  }
}

/** Follows memberOf from the user. The names come from the entries that it points to: its values need not be spelled like them. */
async function byMemberOf(lookup: Lookup, found: Found): Promise<void> {
  const { plan, user } = lookup;
  const seen = new Set<string>();
  const parentsOf = async (entry: Entry): Promise<readonly string[]> => allValues(lookup.search, entry, 'memberOf');
  const unseen = (dns: readonly string[]): readonly string[] =>
    dns.filter((dn) => {
      const key = normalizeDn(dn);
      if (seen.has(key) || (plan.group.base !== '' && !isBelow(dn, plan.group.base))) return false;
      seen.add(key);
      return true;
    });
  const [primary, direct] = await Promise.all([primaryGroups(lookup, found, ['memberOf']), parentsOf(user)]);
  for (const { dn } of primary) seen.add(normalizeDn(dn));
  let frontier = found.add(primary);
  let next = unseen([...direct, ...(plan.nestingLevel > 0 ? (await Promise.all(frontier.map(parentsOf))).flat() : [])]);
  for (let level = 0; next.length > 0; level++) {
    found.atMost(next.length);
    frontier = found.add((await Promise.all(next.map((dn) => groupAt(lookup, dn, found)))).flat());
    if (level >= plan.nestingLevel) return;
    next = unseen((await Promise.all(frontier.map(parentsOf))).flat());
  }
}

/** The entry of a group, if it is one. */
async function groupAt({ search, plan }: Lookup, dn: string, found: Found): Promise<readonly Entry[]> {
  const filter = plan.group.filter.fill({});
  if (filter === undefined) return [];
  try {
    return await search({
      base: dn,
      scope: 'base',
      filter,
      attributes: [...groupAttributes(plan), 'memberOf'],
      binary: [plan.group.nameAttribute],
    });
  } catch (error) {
    if (!(error instanceof SearchFailed) || (error.code !== RESULT.noSuchObject && error.code !== RESULT.referral)) throw error;
    found.addUnnamed({ name: dn, dn, skip: unreadable('memberOf') });
    return [];
  }
}

/** Takes the list of groups that Active Directory makes for a login: security groups, nested ones and the primary group included. */
async function byTokenGroups(lookup: Lookup, found: Found): Promise<void> {
  const { plan, user, search } = lookup;
  const [entry] = await search({ base: user.dn, scope: 'base', filter: ANY, attributes: ['tokenGroups'], binary: ['tokenGroups'] });
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
  await reportUnfound(
    lookup,
    found,
    'tokenGroups',
    wanted.filter((sid) => !bySid.has(formatSid(sid))),
  );
}

/**
 * Says what became of groups that the server names by SIDs and that aren't below group_base. One that is elsewhere in the domain was
 * left out on purpose (everybody is in groups of Builtin), and one that was moved has an entry under another SID. What has no entry
 * at all for this bind is a group that the user loses.
 */
async function reportUnfound({ search, plan, user, log }: Lookup, found: Found, source: string, sids: readonly Buffer[]): Promise<void> {
  const left = new Map(sids.map((sid) => [formatSid(sid), sid]));
  for (const attribute of ['objectSid', 'sIDHistory']) {
    const elsewhere = await searchSids([...left.values()], attribute, async (filter) => {
      try {
        return await search({ base: domainOf(user.dn), scope: 'sub', filter, attributes: [attribute], binary: [attribute] });
      } catch (error) {
        // What can't be found out is reported as if it were not there: the login has its other groups.
        if (error instanceof SearchFailed) return [];
        throw error;
      }
    });
    for (const entry of elsewhere) for (const sid of entry.bytes(attribute)) left.delete(formatSid(sid));
  }
  for (const sid of left.keys()) found.addUnnamed({ name: sid, skip: unreadable(source) });
  const outside = sids.map(formatSid).filter((sid) => !left.has(sid));
  if (outside.length > 0) log.debug(() => `${source} has groups that are not below "${plan.group.base}": ${outside.join(', ')}`);
}

/** Why a group that a server names can't be granted. */
function unreadable(source: string): string {
  return `${source} names it, but its entry is not there, or may not be read by this bind`;
}

/** The user's primary group, which no member list and no memberOf has. Several groups may have its number. */
async function primaryGroups(lookup: Lookup, found: Found, attributes: readonly string[] = []): Promise<readonly Entry[]> {
  const { plan, user } = lookup;
  if (plan.primary === 'primaryGroupID') {
    const sid = primarySid(user);
    if (sid === undefined) {
      found.addUnnamed({ name: 'primary group', skip: `${NO_PRIMARY}; to do without it, set primary_group = false` });
      return [];
    }
    const entries = await groupsBySid(lookup, [sid], attributes);
    if (entries.length === 0) await reportUnfound(lookup, found, plan.primary, [sid]);
    return entries;
  }
  const [gid] = plan.primary === 'gidNumber' ? user.texts('gidNumber') : [];
  if (gid === undefined) return [];
  const filter = GID.fill({ gid: [gid] });
  const groups = filter === undefined ? [] : await searchGroups(lookup, filter, attributes);
  if (groups.length === 0) found.addUnnamed({ name: gid, gid: Number(gid), skip: `no group in "${plan.group.base}" has this gidNumber` });
  return groups;
}

const ANY = parseFilter('(objectClass=*)', [], '').fill({}) as Filter;
const GID = parseFilter('(&(objectClass=posixGroup)(gidNumber={gid}))', ['gid'], '');

/** Every user of Active Directory has both. */
const NO_PRIMARY = 'objectSid or primaryGroupID of the user is not there, or may not be read by this bind';

function primarySid(user: Entry): Buffer | undefined {
  const [sid] = user.bytes('objectSid');
  const [relativeId] = user.texts('primaryGroupID');
  return sid !== undefined && relativeId !== undefined ? siblingSid(sid, Number(relativeId)) : undefined;
}

async function groupsBySid(lookup: Lookup, sids: readonly Buffer[], attributes: readonly string[] = []): Promise<readonly Entry[]> {
  return searchSids(sids, 'objectSid', (filter) => searchGroups(lookup, filter, ['objectSid', ...attributes]));
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

async function searchGroups({ search, plan }: Lookup, filter: Filter, attributes: readonly string[] = []): Promise<readonly Entry[]> {
  const { base } = plan.group;
  try {
    return await search({
      base,
      scope: 'sub',
      filter,
      attributes: [...groupAttributes(plan), ...attributes],
      binary: ['objectSid', plan.group.nameAttribute],
    });
  } catch (error) {
    if (!(error instanceof SearchFailed)) throw error;
    if (error.code === RESULT.noSuchObject)
      throw new ProviderError('ldap', `group_base "${base}" is not there, or may not be read by this bind`, { cause: error });
    if (error.code === RESULT.sizeLimit)
      throw new ProviderError('ldap', `the server cuts off its answer: raise its size limit for this bind`, { cause: error });
    throw error;
  }
}

/** The name comes as bytes, because ldapts takes a byte order mark off a text, and a name is to be what it is. */
function groupAttributes(plan: Plan): readonly string[] {
  return [plan.group.nameAttribute, 'gidNumber'];
}

async function requireActiveDirectory({ search }: Lookup): Promise<void> {
  const [rootDse] = await search({ base: '', scope: 'base', filter: ANY, attributes: ['supportedCapabilities'] });
  if (rootDse?.texts('supportedCapabilities').includes(ACTIVE_DIRECTORY)) return;
  // Other servers accept both tokenGroups and the rule for chains, and answer with nothing.
  throw new ProviderError('ldap', 'the server is no Active Directory, which group_strategy or group_filter needs');
}

function batches<T extends { readonly length: number }>(values: readonly T[]): readonly (readonly T[])[] {
  const result: T[][] = [];
  let characters = 0;
  for (const value of values) {
    const last = result.at(-1);
    characters += value.length;
    if (last === undefined || last.length >= BATCH.values || characters > BATCH.characters) {
      result.push([value]);
      characters = value.length;
    } else last.push(value);
  }
  return result;
}
