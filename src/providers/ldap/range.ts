import { PresenceFilter } from 'ldapts';
import { ProviderError } from '../../support/errors.js';
import type { SearchRequest } from './connection.js';
import type { Entry, ValueRange } from './entry.js';

/**
 * All values of an attribute, also where the server gives them in portions: Active Directory does so from 1,500 values on, and then the attribute
 * itself looks empty ([MS-ADTS] 3.1.1.3.1.3.3).
 * @throws ProviderError when a portion doesn't come
 */
export async function allValues(
  search: (request: SearchRequest) => Promise<readonly Entry[]>,
  entry: Entry,
  attribute: string,
): Promise<readonly string[]> {
  let part: ValueRange | undefined = entry.range(attribute);
  if (part === undefined) return entry.texts(attribute);
  const values: string[] = [];
  let from = 0;
  for (;;) {
    if (part?.start !== from || (part.next !== undefined && !(part.next > from))) {
      throw new ProviderError('ldap', `"${entry.dn}": the server gives the first ${from} values of ${attribute}, and no more`);
    }
    values.push(...part.values);
    if (part.next === undefined) return values;
    from = part.next;
    const attributes = [`${attribute};range=${from}-*`];
    const [more] = await search({ base: entry.dn, scope: 'base', filter: new PresenceFilter({ attribute: 'objectClass' }), attributes });
    part = more?.range(attribute);
  }
}
