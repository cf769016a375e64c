import { setMaxListeners } from 'node:events';
import { ConfigError, explain, ProviderError } from '../../support/errors.js';
import type { Logger } from '../../support/log.js';
import type { Group, GroupProvider, LoginUser, ProviderContext } from '../provider.js';
import type { SearchRequest, SearchResult } from './client.js';
import type { Connection, ConnectionSettings } from './connection.js';
import { missing, missingBase } from './directory.js';
import { type Entry, isWhole, type ReadEntry } from './entry.js';
import { GivenUp, RESULT, SearchFailed } from './errors.js';
import type { LdapOptions } from './options.js';
import { makePlan, type Plan } from './plan.js';
import { createServers } from './servers.js';
import type { ResolveSrv } from './srv.js';
import { Found } from './strategy/found.js';
import type { Lookup } from './strategy/lookup.js';
import { byMemberOf } from './strategy/memberof.js';
import { bySearch } from './strategy/search.js';
import { byTokenGroups } from './strategy/token-groups.js';

/**
 * The provider. `resolveSrv` replaces DNS in tests.
 * @throws ConfigError for options that can't be used together
 */
export function createLdapProvider(options: LdapOptions, context: ProviderContext, resolveSrv?: ResolveSrv): GroupProvider {
  const plan = configured(() => makePlan(options, context.directory));
  const settings: ConnectionSettings = {
    credentials: plan.credentials,
    tls: plan.tls,
    connectTimeout: options.connect_timeout,
    searchTimeout: options.timeout,
    log: context.log,
  };
  const servers = createServers(plan.locations, { ...settings, starttls: options.starttls, stamp: plan.stamp, resolveSrv });
  return {
    async groups(user, signal) {
      try {
        signal.throwIfAborted();
        // Many searches of one lookup listen to it.
        setMaxListeners(0, signal);
        return await servers.run((connection) => findGroups(connection, user, plan, context.log, signal), signal);
      } catch (error) {
        if (error instanceof ProviderError) throw error;
        throw new ProviderError('ldap', explain(error), { cause: error, timedOut: error instanceof GivenUp });
      }
    },
    check: async (signal) => (await import('./check.js')).checkServers(servers, settings, plan, signal),
    async close() {
      servers.close();
    },
  };
}

/** Says where an option's error belongs. */
function configured<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof ConfigError) throw new ConfigError(`[provider.ldap]: ${error.message}`, { cause: error.cause });
    throw error;
  }
}

const STRATEGIES = { search: bySearch, memberof: byMemberOf, token_groups: byTokenGroups } as const;

async function findGroups(
  connection: Connection,
  user: LoginUser,
  plan: Plan,
  log: Logger,
  signal: AbortSignal,
): Promise<readonly Group[] | undefined> {
  const { directory } = connection;
  const placeholders = namesOf(user.name);
  const userBase = plan.user.base(placeholders);
  if (userBase === undefined) return undefined;
  const search = (request: SearchRequest): Promise<SearchResult> => connection.search(request, signal);
  const entry = await findUser(connection, user.name, userBase, plan, signal);
  if (entry === undefined) return undefined;
  if (plan.strategy === 'token_groups' || plan.group.filter.usesChainRule) {
    // Other servers accept both tokenGroups and the rule for chains, and answer with nothing.
    if (!(await directory.facts(signal)).isActiveDirectory)
      throw new ProviderError('ldap', 'the server is no Active Directory, which group_strategy or group_filter needs');
  }
  const read: ReadEntry = async (base, filter, attributes) => (await search({ base, scope: 'base', filter, attributes })).entries[0];
  const found = new Found(plan.maxGroups, entry.dn);
  const lookup: Lookup = { plan, user: entry, userBase, search, read, directory, signal, found, log };
  await STRATEGIES[plan.strategy](lookup);
  return found.list(plan.group);
}

/** The one entry of the user. @throws for several: groups of somebody else would be worse than none */
async function findUser(
  { directory, search }: Connection,
  name: string,
  base: string,
  plan: Plan,
  signal: AbortSignal,
): Promise<Entry | undefined> {
  const { user } = plan;
  const placeholders = namesOf(name);
  const values = Object.fromEntries(Object.entries(placeholders).map(([key, value]) => [key, value === '' ? [] : [value]]));
  const by = async (template: Plan['user']['filter']): Promise<Entry | undefined> => {
    const filter = template.fill(values);
    if (filter === undefined) return undefined;
    const { entries, references } = await search({ base, scope: 'sub', filter, attributes: userAttributes(plan) }, signal);
    if (entries.length > 1) {
      const found = `user_filter finds ${entries.length} entries for "${name}": ${dnList(entries)}`;
      throw new ProviderError('ldap', `${found}; it has to find one at most`);
    }
    const [entry] = entries;
    if (entry === undefined && references.length > 0 && !(await directory.facts(signal)).isActiveDirectory) {
      directory.warn(
        `a part of user_base "${base}" is on another server (${references[0]}), and referrals are not followed: its users are unknown`,
      );
    }
    if (entry !== undefined && !isWhole(entry.dn)) throw new ProviderError('ldap', `"${entry.dn}": the DN of "${name}" is not UTF-8`);
    return entry;
  };
  try {
    const entry = await by(user.filter);
    if (entry !== undefined) return entry;
    if (user.implicitPrincipal !== undefined && placeholders.domain !== '') {
      const { dnsDomain } = await directory.facts(signal);
      if (placeholders.domain.toLowerCase() === dnsDomain) {
        const implicit = await by(user.implicitPrincipal);
        if (implicit !== undefined) return implicit;
      }
    }
    if (user.fixedBase) await directory.requireBase('user_base', base, signal);
    return undefined;
  } catch (error) {
    if (!(error instanceof SearchFailed)) throw error;
    // A base with the user's name in it: there is no such entry, or could not be.
    if (!user.fixedBase && (missing(error) || error.code === RESULT.invalidDn)) return undefined;
    // A fixed base: a mistake, and no answer at all.
    throw missing(error) ? missingBase('user_base', base, error) : error;
  }
}

/** What the placeholders stand for. The domain is behind the first @, as `user_format` and Dovecot have it. */
function namesOf(user: string): Readonly<Record<'user' | 'local' | 'domain', string>> {
  const at = user.indexOf('@');
  return at < 0 ? { user, local: user, domain: '' } : { user, local: user.slice(0, at), domain: user.slice(at + 1) };
}

function userAttributes({ user, strategy, primary }: Plan): readonly string[] {
  const attributes = [user.uidAttribute];
  if (strategy === 'memberof') attributes.push('memberOf');
  if (primary === 'gidNumber') attributes.push('gidNumber');
  if (primary === 'primaryGroupID' || strategy === 'token_groups') attributes.push('objectSid', 'primaryGroupID');
  return attributes;
}

function dnList(entries: readonly Entry[]): string {
  const shown = entries
    .slice(0, 3)
    .map(({ dn }) => `"${dn}"`)
    .join(', ');
  return entries.length > 3 ? `${shown}, …` : shown;
}
