import { dirname } from 'node:path';
import type { Config } from '../config/load.js';
import { ConfigError } from '../support/errors.js';
import type { Logger } from '../support/log.js';
import { closedLast } from './closed-last.js';
import { createProvider, type LoadedProvider } from './create.js';
import { CONFIG_SOURCE, USERDB_SOURCE } from './own-sources.js';
import type { GroupProvider, ProviderDefinition } from './provider.js';

/** The providers that come with acl-groups. A name here is all that it takes to be found; what isn't used isn't loaded. */
export const BUILT_IN: Readonly<Record<string, () => Promise<ProviderDefinition>>> = Object.freeze({
  unix: async () => (await import('./unix/definition.js')).default,
  ldap: async () => (await import('./ldap/definition.js')).default,
  file: async () => (await import('./file/definition.js')).default,
});

/** A provider that is ready to be asked, under the name that it reports as. */
export interface OpenProvider {
  readonly name: string;
  readonly provider: GroupProvider;
}

/**
 * The configured providers, in order, with validated options. `resident`: for a process that stays, which keeps third-party providers in
 * threads; one that answers a single login saves the time that a thread takes to start.
 * @throws ConfigError for an unknown provider, one that isn't installed, one given twice, and for options that don't fit
 */
export async function openProviders(config: Config, logFor: (name: string) => Logger, resident = false): Promise<readonly OpenProvider[]> {
  const loading = config.providers.map((name) => load(name, config, logFor(name), resident));
  try {
    const loaded = await Promise.all(loading);
    refuseAmbiguous(config, loaded);
    refuseUnknownTables(config, loaded);
    const directory = dirname(config.file);
    return await Promise.all(
      loaded.map(async (one) => {
        const { name } = one;
        const log = logFor(name);
        const table = { given: config.providerTables[name] ?? {}, where: `${config.file}: [provider.${name}]` };
        return { name, provider: await one.open(table, { log, directory, resident }) };
      }),
    );
  } catch (error) {
    for (const outcome of await Promise.allSettled(loading)) if (outcome.status === 'fulfilled') await outcome.value.discard();
    throw error;
  }
}

async function load(given: string, config: Config, log: Logger, resident: boolean): Promise<LoadedProvider> {
  const naming = { configFile: config.file, place: placeOf(config), builtIn: Object.keys(BUILT_IN) };
  if (resident && !Object.hasOwn(BUILT_IN, given)) {
    return (await import('./thread/threaded.js')).loadInThread({ given, naming }, log, config.timeout);
  }
  const definition = await loadProvider(given, config.file, naming.place);
  return {
    name: definition.name,
    open: (table, context) => closedLast(definition.name, createProvider(definition, table, context), log),
    discard: () => Promise.resolve(),
  };
}

/** Where the providers are named, as messages say it. */
function placeOf({ file, providersOption }: Config): string {
  return providersOption ? '--providers' : `${file}: providers`;
}

/** @throws ConfigError for names that wouldn't tell who gave a group */
function refuseAmbiguous(config: Config, loaded: readonly LoadedProvider[]): void {
  const seen = new Map<string, string>();
  for (const [index, { name }] of loaded.entries()) {
    const given = config.providers[index] ?? name;
    const before = seen.get(name);
    seen.set(name, given);
    if (name === USERDB_SOURCE || name === CONFIG_SOURCE) {
      throw new ConfigError(
        `${placeOf(config)}: "${given}" is called "${name}", as the groups of the ${name === USERDB_SOURCE ? 'userdb' : 'configuration'} are; give it another name in its module`,
      );
    }
    if (before === undefined) continue;
    const what = before === given ? `"${given}" is given twice` : `"${before}" and "${given}" are both called "${name}"`;
    throw new ConfigError(`${placeOf(config)}: ${what}; leave one of them out`);
  }
}

function refuseUnknownTables(config: Config, loaded: readonly LoadedProvider[]): void {
  // With --providers, a table may belong to a module that only the file names.
  if (config.providersOption) return;
  const known = new Set([...Object.keys(BUILT_IN), ...loaded.map(({ name }) => name)]);
  for (const table of Object.keys(config.providerTables)) {
    if (known.has(table)) continue;
    throw new ConfigError(`${config.file}: [provider.${table}]: no provider has this name; there are ${[...known].join(', ')}`);
  }
}

/** The definition of a built-in provider, or of a module named by path or package name; `place` is where the name was given. */
export async function loadProvider(name: string, configFile: string, place = `${configFile}: providers`): Promise<ProviderDefinition> {
  const builtIn = Object.hasOwn(BUILT_IN, name) ? BUILT_IN[name] : undefined;
  if (builtIn !== undefined) return builtIn();
  return (await import('./foreign.js')).loadForeign(name, { configFile, place, builtIn: Object.keys(BUILT_IN) });
}
