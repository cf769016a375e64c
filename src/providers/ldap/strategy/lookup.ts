import type { Filter } from 'ldapts';
import { ProviderError } from '../../../support/errors.js';
import type { Logger } from '../../../support/log.js';
import type { SearchRequest, SearchResult } from '../client.js';
import { type Directory, missing, missingBase } from '../directory.js';
import type { Entry, ReadEntry } from '../entry.js';
import { RESULT, SearchFailed } from '../errors.js';
import { both } from '../filter.js';
import type { Plan } from '../plan.js';
import type { Found } from './found.js';

/** What finding one user's groups works with. */
export interface Lookup {
  readonly plan: Plan;
  /** The user's entry. */
  readonly user: Entry;
  /** The base that it was found below. */
  readonly userBase: string;
  readonly search: (request: SearchRequest) => Promise<SearchResult>;
  readonly read: ReadEntry;
  readonly directory: Directory;
  readonly signal: AbortSignal;
  readonly found: Found;
  readonly log: Logger;
}

/** How many values go into one filter, and how long they may be together: what all servers take in one request. */
const BATCH = { values: 100, characters: 16_000 };

export function batches<T extends { readonly length: number }>(values: readonly T[]): readonly (readonly T[])[] {
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

/**
 * The groups below group_base that a filter finds.
 * @throws NoAnswer without group_base, ProviderError for an answer that the server cuts off
 */
export async function searchGroups(lookup: Lookup, filter: Filter, attributes: readonly string[] = []): Promise<readonly Entry[]> {
  const { search, plan, directory, found, signal } = lookup;
  const { base, nameAttribute, condition } = plan.group;
  try {
    const { entries, references } = await search({
      base,
      scope: 'sub',
      filter: both(filter, condition),
      attributes: [nameAttribute, 'gidNumber', ...attributes],
    });
    // Active Directory's root always refers to its other partitions, which hold no groups.
    if (references.length > 0 && !(await directory.facts(signal)).isActiveDirectory) {
      for (const uri of references) {
        found.lose({ name: uri }, 'a part of group_base is on another server, to which this one refers, and referrals are not followed');
      }
    }
    return entries;
  } catch (error) {
    if (!(error instanceof SearchFailed)) throw error;
    if (missing(error)) throw missingBase('group_base', base, error);
    throw error.code === RESULT.sizeLimit || error.code === RESULT.adminLimit || error.code === RESULT.unavailableExtension
      ? new ProviderError('ldap', CUT_OFF, { cause: error })
      : error;
  }
}

const CUT_OFF =
  "the server cuts off its answer: raise its size limit for this bind (OpenLDAP: limits … size=… or size.prtotal=unlimited; 389 Directory Server: nsSizeLimit or nsPagedSizeLimit of the bind's entry)";
