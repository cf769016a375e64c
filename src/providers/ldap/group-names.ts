import { type Filter, SubstringFilter } from 'ldapts';
import { text } from '../../ldap/entry.js';
import { both } from '../../ldap/filter.js';
import type { Servers } from '../../ldap/servers.js';
import { inBatches, isOneOf } from './lookup.js';
import type { Plan } from './plan.js';

/** How many of the first characters a name has in common with those that may be meant. */
const ALIKE = 2;

/** Names of groups below group_base: those asked for, and those that begin like one of them that isn't there. */
export async function listGroupNames(
  servers: Servers,
  plan: Plan,
  asked: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { base, nameAttribute: attribute, prefix, condition } = plan.group;
  const search = (filter: Filter): Promise<readonly string[]> =>
    servers.run(async (connection) => {
      const { entries } = await connection.search({ base, scope: 'sub', filter: both(filter, condition), attributes: [attribute] }, signal);
      return entries.flatMap((entry) => entry.bytes(attribute).map((value) => `${prefix}${text(value) ?? ''}`));
    }, signal);
  const names = asked.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  const found = await inBatches(names, (batch) => search(isOneOf(attribute, batch)));
  const initials = new Set(names.filter((name) => !found.includes(`${prefix}${name}`)).map((name) => name.slice(0, ALIKE)));
  // A list that the server cuts off, or that it has no index for, is no reason to know nothing.
  const alike = await Promise.all([...initials].map((initial) => search(new SubstringFilter({ attribute, initial })).catch(() => [])));
  return [...new Set([...found, ...alike.flat()])];
}
