import { setMaxListeners } from 'node:events';
import type { Connection } from '../../ldap/connection.js';
import { Servers } from '../../ldap/servers.js';
import { ConfigError, explain, ProviderError } from '../../support/errors.js';
import type { ResolveSrv } from '../../support/srv.js';
import { isTimeout, within } from '../../support/within.js';
import { defineProvider, type Group, type GroupProvider, type ProviderContext, type ProviderDefinition } from '../provider.js';
import { Directory } from './directory.js';
import { Found } from './found.js';
import type { Lookup } from './lookup.js';
import { type LdapOptions, OPTIONS } from './options.js';
import { makePlan, type Plan } from './plan.js';
import { byMemberOf } from './strategy/memberof.js';
import { bySearch } from './strategy/search.js';
import { byTokenGroups } from './strategy/token-groups.js';
import { findUser } from './user.js';

/** Groups from LDAP directories. */
const ldap: ProviderDefinition<LdapOptions> = defineProvider({
  name: 'ldap',
  description: 'LDAP directories: OpenLDAP, 389 Directory Server, FreeIPA, Active Directory',
  options: OPTIONS,
  create: createLdapProvider,
});
export default ldap;

/**
 * The provider. `resolveSrv` replaces DNS in tests.
 * @throws ConfigError for options that can't be used together
 */
export function createLdapProvider(options: LdapOptions, { log, directory }: ProviderContext, resolveSrv?: ResolveSrv): GroupProvider {
  const plan = planOf(options, directory);
  const servers = new Servers(plan, log, resolveSrv);

  /** What is known of what is behind a connection lasts as long as the connection; no lookup's end ends a search for it. */
  const directories = new WeakMap<Connection, Directory>();
  const directoryOf = (connection: Connection): Directory => {
    const known = directories.get(connection) ?? new Directory((request) => connection.search(request, NEVER), log);
    directories.set(connection, known);
    return known;
  };

  async function findGroups(connection: Connection, name: string, signal: AbortSignal): Promise<readonly Group[] | undefined> {
    const search: Lookup['search'] = (request) => connection.search(request, signal);
    const directory = directoryOf(connection);
    const user = await findUser(name, plan, search, directory);
    if (user === undefined) return undefined;
    // Other servers accept both tokenGroups and the rule for chains, and answer with nothing.
    if ((plan.strategy === 'token_groups' || plan.group.filter.usesChainRule) && !(await directory.facts()).isActiveDirectory)
      throw new ProviderError('ldap', 'the server is no Active Directory, which group_strategy or group_filter needs');
    const found = new Found(plan.maxGroups, user.entry.dn);
    await STRATEGIES[plan.strategy]({ plan, user: user.entry, userBase: user.base, search, directory, found, log });
    return found.list(plan.group);
  }

  return {
    async groups(user, signal) {
      try {
        signal.throwIfAborted();
        // Many searches of one lookup listen to it.
        setMaxListeners(0, signal);
        const lookup = servers.run((connection) => findGroups(connection, user.name, signal), signal);
        return await within(lookup, { what: 'no answer', signal });
      } catch (error) {
        if (error instanceof ProviderError) throw error;
        throw new ProviderError('ldap', explain(error), { cause: error, timedOut: isTimeout(error) });
      }
    },
    check: async (signal) => (await import('./check.js')).checkServers(servers, plan, log, signal),
    groupNames: async (asked, signal) => (await import('./group-names.js')).listGroupNames(servers, plan, asked, signal),
    async close() {
      servers.close();
    },
  };
}

const NEVER = new AbortController().signal;
setMaxListeners(0, NEVER);

const STRATEGIES = { search: bySearch, memberof: byMemberOf, token_groups: byTokenGroups } as const;

/** The plan, or where the error of an option belongs. */
function planOf(options: LdapOptions, directory: string): Plan {
  try {
    return makePlan(options, directory);
  } catch (error) {
    if (error instanceof ConfigError) throw new ConfigError(`[provider.ldap]: ${error.message}`, { cause: error.cause });
    throw error;
  }
}
