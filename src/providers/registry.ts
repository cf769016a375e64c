import { dirname } from 'node:path';
import type { Config } from '../config/load.js';
import { parseOptions } from '../config/options.js';
import { ConfigError, explain } from '../support/errors.js';
import type { Logger } from '../support/log.js';
import type { GroupProvider, ProviderContext, ProviderDefinition } from './provider.js';

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
 * The configured providers, in order, with validated options.
 * @throws ConfigError for an unknown provider, one that isn't installed, one given twice, and for options that don't fit
 */
export async function openProviders(config: Config, logFor: (name: string) => Logger, resident = false): Promise<readonly OpenProvider[]> {
  const definitions = await Promise.all(config.providers.map((name) => loadProvider(name, config.file, placeOf(config))));
  refuseTwins(config, definitions);
  const known = new Set([...Object.keys(BUILT_IN), ...definitions.map(({ name }) => name)]);
  for (const table of Object.keys(config.providerTables)) {
    // With --providers, a table may belong to a module that only the file names.
    if (!known.has(table) && !config.providersOption) {
      throw new ConfigError(`${config.file}: [provider.${table}]: no provider has this name; there are ${[...known].join(', ')}`);
    }
  }
  const directory = dirname(config.file);
  return definitions.map((definition) => {
    const { name } = definition;
    return { name, provider: create(definition, config, { log: logFor(name), directory, resident }) };
  });
}

/** Where the providers are named, as messages say it. */
function placeOf({ file, providersOption }: Config): string {
  return providersOption ? '--providers' : `${file}: providers`;
}

function refuseTwins(config: Config, definitions: readonly ProviderDefinition[]): void {
  const seen = new Map<string, string>();
  for (const [index, { name }] of definitions.entries()) {
    const given = config.providers[index] ?? name;
    const before = seen.get(name);
    seen.set(name, given);
    if (before === undefined) continue;
    const what = before === given ? `"${given}" is given twice` : `"${before}" and "${given}" are both called "${name}"`;
    throw new ConfigError(`${placeOf(config)}: ${what}; leave one of them out`);
  }
}

function create(definition: ProviderDefinition, { file, providerTables }: Config, context: ProviderContext): GroupProvider {
  const where = `${file}: [provider.${definition.name}]`;
  const options = parseOptions(definition.options, providerTables[definition.name] ?? {}, where);
  try {
    return definition.create(options, context);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    // What a provider of somebody else's throws comes from another copy of these classes.
    throw new ConfigError(`${where}: ${explain(error)}`, { cause: error });
  }
}

/** The definition of a built-in provider, or of a module named by path or package name; `place` is where the name was given. */
export async function loadProvider(name: string, configFile: string, place = `${configFile}: providers`): Promise<ProviderDefinition> {
  const builtIn = Object.hasOwn(BUILT_IN, name) ? BUILT_IN[name] : undefined;
  if (builtIn !== undefined) return builtIn();
  return (await import('./foreign.js')).loadForeign(name, { configFile, place, builtIn: Object.keys(BUILT_IN) });
}
