import { EqualityFilter, type Filter } from 'ldapts';
import type { SearchRequest, SearchResult } from '../../ldap/client.js';
import type { Entry } from '../../ldap/entry.js';
import { codeOf, RESULT } from '../../ldap/errors.js';
import { anyOf, both } from '../../ldap/filter.js';
import { ProviderError } from '../../support/errors.js';
import type { Logger } from '../../support/log.js';
import { type Directory, missingBase } from './directory.js';
import { type Finding, type Found, isEntry, lost } from './found.js';
import { ALL_LEVELS } from './options.js';
import type { Plan } from './plan.js';

/** What finding one user's groups works with. */
export interface Lookup {
  readonly plan: Plan;
  /** The user's entry. */
  readonly user: Entry;
  /** The base that it was found below. */
  readonly userBase: string;
  readonly search: (request: SearchRequest) => Promise<SearchResult>;
  readonly directory: Directory;
  readonly found: Found;
  readonly log: Logger;
}

/**
 * Adds groups, then those that these are in, and so on. What is cut off by nesting_level is a choice of the administrator's; behind all the
 * levels that there are, it is lost.
 */
export async function climb(
  { plan, found }: Lookup,
  direct: readonly Finding[],
  above: (groups: readonly Entry[]) => Promise<readonly Finding[]>,
): Promise<void> {
  let groups = found.add(direct);
  for (let level = 0; groups.length > 0; level++) {
    if (level >= plan.nestingLevel && plan.nestingLevel < ALL_LEVELS) return;
    const findings = await above(groups);
    if (level < plan.nestingLevel) groups = found.add(findings);
    else {
      const beyond = findings.filter((each) => isEntry(each) && !found.has(each.dn));
      found.add(beyond.map(({ dn }) => lost({ name: dn ?? '', dn }, `it is more than ${ALL_LEVELS} levels of groups away from the user`)));
      return;
    }
  }
}

/** Whether an entry shows this bind what it is. One that filters don't find is no group only then: what is hidden isn't found either. */
export function showsItsKind({ plan }: Lookup, entry: Entry): boolean {
  return plan.group.kindAttributes.every((attribute) => entry.has(attribute));
}

/** How many values go into one filter, and how long they may be together: what all servers take in one request. */
const BATCH = { values: 100, characters: 16_000 };

/** What `work` makes of the values, so many at a time as one filter may hold. */
export async function inBatches<T extends { readonly length: number }, R>(
  values: readonly T[],
  work: (batch: readonly T[]) => Promise<readonly R[]>,
): Promise<readonly R[]> {
  const batches: T[][] = [];
  let characters = 0;
  for (const value of values) {
    const last = batches.at(-1);
    characters += value.length;
    if (last !== undefined && last.length < BATCH.values && characters <= BATCH.characters) {
      last.push(value);
      continue;
    }
    batches.push([value]);
    characters = value.length;
  }
  return (await Promise.all(batches.map(work))).flat();
}

/** Matches entries whose attribute is one of these values, of which there is one at least. */
export function isOneOf(attribute: string, [first, ...rest]: readonly (string | Buffer)[]): Filter {
  const equals = (value: string | Buffer = ''): Filter => new EqualityFilter({ attribute, value });
  return anyOf([equals(first), ...rest.map(equals)]) ?? equals(first);
}

/**
 * The groups below group_base that a filter finds, and what it finds on other servers.
 * @throws LdapError without group_base, ProviderError for an answer that the server cuts off
 */
export async function searchGroups(lookup: Lookup, filter: Filter, attributes: readonly string[] = []): Promise<readonly Finding[]> {
  const { search, plan, directory } = lookup;
  const { base, nameAttribute, condition } = plan.group;
  try {
    const wanted = { filter: both(filter, condition), attributes: [nameAttribute, 'gidNumber', ...attributes] };
    const { entries, references } = await search({ base, scope: 'sub', ...wanted });
    if (!(await directory.isElsewhere(references))) return entries;
    const reason = 'a part of group_base is on another server, to which this one refers, and referrals are not followed';
    return [...entries, ...references.map((uri) => lost({ name: uri }, reason))];
  } catch (error) {
    const code = codeOf(error);
    if (code === RESULT.noSuchObject) throw missingBase('group_base', base, error);
    if (code === RESULT.sizeLimit || code === RESULT.adminLimit || code === RESULT.unavailableExtension)
      throw new ProviderError('ldap', CUT_OFF, { cause: error });
    throw error;
  }
}

const CUT_OFF =
  "the server cuts off its answer: raise its size limit for this bind (OpenLDAP: limits … size=… or size.prtotal=unlimited; 389 Directory Server: nsSizeLimit or nsPagedSizeLimit of the bind's entry)";
