import { isTable, parseOptions } from '../config/options.js';
import { ConfigError, explain } from '../support/errors.js';
import type { GroupProvider, ProviderContext, ProviderDefinition } from './provider.js';

/** A provider's table of the configuration, and what messages about it start with: the file, and the table's name in brackets. */
export interface ProviderTable {
  readonly given: unknown;
  readonly where: string;
}

/** A provider's module, loaded; here, or in a thread of its own. */
export interface LoadedProvider {
  readonly name: string;
  /**
   * Makes the provider of its table in the configuration.
   * @throws ConfigError
   */
  open(table: ProviderTable, context: ProviderContext): GroupProvider | Promise<GroupProvider>;
  /** Lets go of what was loaded and is not going to be opened, or has not been. */
  discard(): Promise<void>;
}

/**
 * A provider of its validated options.
 * @throws ConfigError for options that don't fit, and when it isn't made of them
 */
export function createProvider(definition: ProviderDefinition, { given, where }: ProviderTable, context: ProviderContext): GroupProvider {
  let provider: unknown;
  try {
    provider = definition.create(parseOptions(definition.options, given, where), context);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    // What a third-party provider throws comes from another copy of these classes.
    throw new ConfigError(`${where}: ${explain(error)}`, { cause: error });
  }
  if (isProvider(provider)) return provider;
  throw new ConfigError(`${where}: create() of the provider "${definition.name}" returned no object with a groups() method`);
}

function isProvider(value: unknown): value is GroupProvider {
  return isTable(value) && typeof value.groups === 'function';
}
