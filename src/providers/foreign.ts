import { statSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isTable } from '../config/options.js';
import { ConfigError, explain } from '../support/errors.js';
import { whyUntrusted } from '../support/trusted-file.js';
import type { ProviderDefinition } from './provider.js';

/** What messages about a provider's name say, and where relative paths start: the directory of the configuration file. */
export interface Naming {
  readonly configFile: string;
  readonly place: string;
  readonly builtIn: readonly string[];
}

/**
 * The definition of a third-party provider, named by path or package name.
 * @throws ConfigError for one that is unknown, not installed, broken, or no provider, and for a file that others may write
 */
export async function loadForeign(name: string, { configFile, place, builtIn }: Naming): Promise<ProviderDefinition> {
  const where = `${place}: "${name}"`;
  const isPath = isAbsolute(name) || name.startsWith('./') || name.startsWith('../');
  const path = resolve(dirname(configFile), name);
  const specifier = isPath ? pathToFileURL(path).href : name;
  if (isPath) requireTrusted(path, where);
  let module: { readonly default?: unknown };
  try {
    module = await import(specifier);
  } catch (error) {
    if (!isMissing(error, isPath ? path : name)) {
      throw new ConfigError(`${where}: the module fails to load: ${explain(error)}${hintFor(error)}`, { cause: error });
    }
    // A bare word is more likely a misspelt built-in than a package that isn't installed.
    if (/^\w+$/.test(name))
      throw new ConfigError(`${where}: unknown provider; there are ${builtIn.join(', ')}, or give a module's path or package name`);
    const install = `install it beside acl-groups: npm install --global ${name} (built in are ${builtIn.join(', ')})`;
    const fix = isPath ? 'there is no such file' : /\.[cm]?js$/.test(name) ? `a file's path starts with ./ or /: "./${name}"` : install;
    throw new ConfigError(`${where}: not installed: ${fix}`, { cause: error });
  }
  if (!isDefinition(module.default)) {
    throw new ConfigError(`${where}: the module's default export is no provider; write it with defineProvider() from "acl-groups"`);
  }
  return module.default;
}

/**
 * Its code runs with our rights, as the user that runs or as root. A package's files are npm's.
 * @throws ConfigError for a module that others may write. One that isn't there is for import() to report.
 */
function requireTrusted(path: string, where: string): void {
  const stats = statSync(path, { throwIfNoEntry: false });
  const distrust = stats && whyUntrusted(path, stats);
  if (distrust) throw new ConfigError(`${where}: refused: ${path} ${distrust.problem}; ${distrust.fix}`);
}

/** A module outside of node_modules doesn't see a package that is installed globally. */
function hintFor(error: unknown): string {
  return explain(error).includes("'acl-groups'")
    ? '; install acl-groups there, or do without the import: defineProvider() only adds types'
    : '';
}

/** Whether it is this module that there isn't, and not one that it imports: the code is the same. */
function isMissing(error: unknown, wanted: string): boolean {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'ERR_MODULE_NOT_FOUND') return false;
  const [, missing] = /^Cannot find (?:package|module) '(.*?)' imported from /s.exec(error.message) ?? [];
  return missing !== undefined && (wanted === missing || wanted.startsWith(`${missing}/`));
}

function isDefinition(value: unknown): value is ProviderDefinition {
  return isTable(value) && typeof value.name === 'string' && isTable(value.options) && typeof value.create === 'function';
}
