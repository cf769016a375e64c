/**
 * What a provider of somebody else's is written with. `acl-groups/contract` has the tests that it should pass.
 * @module
 */
export { ConfigError, ProviderError } from './errors.js';
export type { Logger, LogLevel } from './log.js';
export { type OptionSpec, type OptionTable, option, type Schema } from './options.js';
export {
  defineProvider,
  type Finding,
  type Group,
  type GroupProvider,
  type LoginUser,
  type ProviderContext,
  type ProviderDefinition,
} from './providers/provider.js';
