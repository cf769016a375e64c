/**
 * What a third-party provider is written with; `acl-groups/contract` has the tests that it should pass. See {@link GroupProvider} on the
 * thread in which the service keeps it.
 * @module
 */

export { type OptionSpec, type OptionTable, option, type Schema } from './config/options.js';
export {
  defineProvider,
  type Finding,
  type Group,
  type GroupProvider,
  type LoginUser,
  type ProviderContext,
  type ProviderDefinition,
} from './providers/provider.js';
export { ConfigError, ProviderError } from './support/errors.js';
export type { Logger, LogLevel } from './support/log.js';
