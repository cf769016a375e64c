import { ConfigError, explain, ProviderError } from '../../support/errors.js';
import type { Logger } from '../../support/log.js';
import type { Group, GroupProvider, LoginUser, ProviderContext } from '../provider.js';
import { type Connection, type ConnectionSettings, RESULT, SearchFailed } from './connection.js';
import { GivenUp, Stop } from './deadline.js';
import type { Entry } from './entry.js';
import { groupsOfUser } from './membership.js';
import type { LdapOptions } from './options.js';
import { makePlan, type Plan } from './plan.js';
import { createServers, type ResolveSrv } from './servers.js';

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
  const servers = createServers(plan.locations, { ...settings, starttls: options.starttls, resolveSrv });
  return {
    async groups(user, signal) {
      const stop = new Stop(signal);
      try {
        signal.throwIfAborted();
        return await servers.run((connection) => findGroups(connection, user, plan, context.log, stop), stop);
      } catch (error) {
        if (error instanceof ProviderError) throw error;
        throw new ProviderError('ldap', explain(error), { cause: error, timedOut: error instanceof GivenUp });
      } finally {
        stop.end();
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

async function findGroups(
  connection: Connection,
  user: LoginUser,
  plan: Plan,
  log: Logger,
  stop: Stop,
): Promise<readonly Group[] | undefined> {
  const entry = await findUser(connection, user, plan, stop);
  return entry && groupsOfUser({ search: (request) => connection.search(request, stop), plan, user: entry, log });
}

/** The one entry of the user. @throws for several: groups of somebody else would be worse than none */
async function findUser(connection: Connection, user: LoginUser, plan: Plan, stop: Stop): Promise<Entry | undefined> {
  const placeholders = namesOf(user.name);
  const values = Object.fromEntries(Object.entries(placeholders).map(([name, value]) => [name, value === '' ? [] : [value]]));
  const filter = plan.user.filter.fill(values);
  const base = plan.user.base(placeholders);
  if (filter === undefined || base === undefined) return undefined;
  try {
    const entries = await connection.search({ base, scope: 'sub', filter, attributes: userAttributes(plan), binary: ['objectSid'] }, stop);
    if (entries.length > 1) {
      throw new ProviderError(
        'ldap',
        `user_filter finds ${entries.length} entries for "${user.name}": ${dnList(entries)}; it has to find one at most`,
      );
    }
    return entries[0];
  } catch (error) {
    if (!(error instanceof SearchFailed)) throw error;
    // A base with the user's name in it: there is no such entry, or could not be.
    if (!plan.user.fixedBase && (error.code === RESULT.noSuchObject || error.code === RESULT.invalidDn)) return undefined;
    if (error.code !== RESULT.noSuchObject) throw error;
    // A fixed base: a mistake, and no answer at all.
    throw new ProviderError('ldap', `user_base "${base}" is not there, or may not be read by this bind`, { cause: error });
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
