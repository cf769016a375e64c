import type { SearchRequest, SearchResult } from '../../ldap/client.js';
import { type Entry, isWhole } from '../../ldap/entry.js';
import { codeOf, RESULT } from '../../ldap/errors.js';
import type { FilterTemplate } from '../../ldap/filter.js';
import { ProviderError } from '../../support/errors.js';
import { type Directory, missingBase } from './directory.js';
import { quoted } from './found.js';
import type { Plan } from './plan.js';

/** A user's entry, and the base that it was found below. */
export interface UserEntry {
  readonly entry: Entry;
  readonly base: string;
}

/**
 * The one entry of a user; `undefined` for a user that the directory doesn't know.
 * @throws ProviderError for several entries: groups of another user would be worse than none
 */
export async function findUser(
  name: string,
  plan: Plan,
  search: (request: SearchRequest) => Promise<SearchResult>,
  directory: Directory,
): Promise<UserEntry | undefined> {
  const { user } = plan;
  const names = namesOf(name);
  const base = user.base(names);
  if (base === undefined) return undefined;
  const values = Object.fromEntries(Object.entries(names).map(([key, value]) => [key, value === '' ? [] : [value]]));
  const by = async (template: FilterTemplate): Promise<UserEntry | undefined> => {
    const filter = template.fill(values);
    if (filter === undefined) return undefined;
    const { entries, references } = await search({ base, scope: 'sub', filter, attributes: attributesFor(plan) });
    const [entry, another] = entries;
    if (another !== undefined) {
      const found = `user_filter finds ${entries.length} entries for "${name}": ${quoted(entries.map(({ dn }) => dn))}`;
      throw new ProviderError('ldap', `${found}; it has to find one at most`);
    }
    if (entry === undefined) {
      if (await directory.isElsewhere(references)) {
        const part = `a part of user_base "${base}" is on another server (${references[0]})`;
        directory.warn(`${part}, and referrals are not followed: its users are unknown`);
      }
      return undefined;
    }
    if (!isWhole(entry.dn)) throw new ProviderError('ldap', `"${entry.dn}": the DN of "${name}" is not UTF-8`);
    return { entry, base };
  };
  try {
    const found = await by(user.filter);
    if (found !== undefined) return found;
    if (user.implicitPrincipal !== undefined && names.domain !== '') {
      const isOurs = names.domain.toLowerCase() === (await directory.facts()).dnsDomain;
      const implicit = isOurs ? await by(user.implicitPrincipal) : undefined;
      if (implicit !== undefined) return implicit;
    }
    if (user.fixedBase) await directory.some('user_base', base);
    return undefined;
  } catch (error) {
    const isMissing = codeOf(error) === RESULT.noSuchObject;
    // A base with the user's name in it: there is no such entry, or could not be.
    if (!user.fixedBase && (isMissing || codeOf(error) === RESULT.invalidDn)) return undefined;
    // A fixed base: a mistake, and no answer at all.
    throw isMissing ? missingBase('user_base', base, error) : error;
  }
}

/** What the placeholders stand for. The domain is behind the first @, as `user_format` and Dovecot have it. */
function namesOf(user: string): Readonly<Record<'user' | 'local' | 'domain', string>> {
  const at = user.indexOf('@');
  return at < 0 ? { user, local: user, domain: '' } : { user, local: user.slice(0, at), domain: user.slice(at + 1) };
}

function attributesFor({ user, strategy, primary }: Plan): readonly string[] {
  const attributes = [user.uidAttribute];
  if (strategy === 'memberof') attributes.push('memberOf');
  if (primary === 'gidNumber') attributes.push('gidNumber', 'objectClass');
  if (primary === 'primaryGroupID' || strategy === 'token_groups') attributes.push('objectSid', 'primaryGroupID');
  return attributes;
}
