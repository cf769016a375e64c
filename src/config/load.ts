import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { ConfigError, explain } from '../support/errors.js';
import { isTable, type OptionSpec, type OptionTable, option, parseOptions } from './options.js';
import { duration, oneOf, size, textMap, texts } from './schema.js';

/** Read when no `-c` names another; it may be missing. */
export const DEFAULT_CONFIG_FILE = '/etc/acl-groups.toml';

/** The keys at the top of the file. */
export interface MainConfig {
  readonly providers: readonly string[];
  readonly on_error: 'deny' | 'continue';
  readonly on_incomplete: 'warn' | 'deny';
  /** Milliseconds. */
  readonly timeout: number;
  readonly dovecot_version: 'auto' | '2.3' | '2.4';
  readonly user_format: 'full' | 'local';
}

/** The keys of `[groups]`. */
export interface GroupsConfig {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly rename: Readonly<Record<string, string>>;
  readonly case: 'keep' | 'lower';
}

/** The keys of `[cache]`, which serve mode uses. */
export interface CacheConfig {
  /** Milliseconds. */
  readonly ttl: number;
  /** Milliseconds. */
  readonly stale_ttl: number;
  /** Bytes. */
  readonly max_size: number;
}

/** A validated configuration. Keys are those of the file. */
export interface Config extends MainConfig {
  readonly groups: GroupsConfig;
  readonly cache: CacheConfig;
  /** Whether the command line names the providers, instead of the file. */
  readonly providersOption: boolean;
  /** The command line's word on the version, which goes before `dovecot_version`. */
  readonly dovecotOption: '2.3' | '2.4' | undefined;
  /** `[provider.NAME]` tables, each still to be validated by its provider. */
  readonly providerTables: Readonly<Record<string, unknown>>;
  /** The file that it came from, for messages; relative paths in it start from its directory. */
  readonly file: string;
}

const MAIN_OPTIONS: OptionTable<MainConfig> = {
  providers: option(texts(['unix']), 'where groups come from, in this order: names from `acl-groups providers`, or a path or package name'),
  on_error: option(oneOf(['deny', 'continue'], 'deny'), 'when a provider fails: end the login, or go on with the groups that there are'),
  on_incomplete: option(
    oneOf(['warn', 'deny'], 'warn'),
    "when a provider names a group that can't be read: grant the others with a warning, or treat it as a failure, which on_error decides about",
  ),
  timeout: option(duration('5s'), "for one user's whole answer"),
  dovecot_version: option(oneOf(['auto', '2.3', '2.4'], 'auto'), 'whose rules names are written by'),
  user_format: option(oneOf(['full', 'local'], 'full'), 'which part of the user name is the account: all of it, or the part before @'),
};

const GROUP_OPTIONS: OptionTable<GroupsConfig> = {
  include: option(texts(), 'globs of the groups to pass on, by the names that their sources give them; empty means all'),
  exclude: option(texts(), 'globs of groups to leave out: * is any text, ? any character, \\ takes the next character as it is'),
  rename: option(textMap(), 'new names, by the names that the sources give'),
  case: option(oneOf(['keep', 'lower'], 'keep'), 'Dovecot compares names exactly; "lower" makes them lower-case'),
};

const CACHE_OPTIONS: OptionTable<CacheConfig> = {
  ttl: option(duration('30s'), 'serve mode and --cache-dir: how long an answer is used without asking again; "0s" asks for each login'),
  stale_ttl: option(duration('1h'), 'serve mode: how old an answer may be that stands in when a provider fails; "0s" means never'),
  max_size: option(size('64M'), 'the service: memory for answers, the least recently used goes first'),
};

/** Every table of the file but the providers' own, by its name; the top of the file has the empty one. */
export const CONFIG_TABLES: Readonly<Record<'' | 'groups' | 'cache', Readonly<Record<string, OptionSpec>>>> = {
  '': { ...MAIN_OPTIONS },
  groups: { ...GROUP_OPTIONS },
  cache: { ...CACHE_OPTIONS },
};

/** What the command line says over the file. */
export interface ConfigOverrides {
  readonly providers?: readonly string[] | undefined;
  readonly dovecot?: '2.3' | '2.4' | undefined;
}

/**
 * The configuration of `file`, or of the default file, which may be missing.
 * @throws ConfigError naming the key, what was found and what is allowed
 */
export async function loadConfig(file: string | undefined, overrides: ConfigOverrides = {}): Promise<Config> {
  const path = resolve(file ?? DEFAULT_CONFIG_FILE);
  const text = readConfigFile(path, file !== undefined);
  const tables = text === undefined ? {} : await parseToml(text, path);
  const config = parseConfig(tables, path);
  const { providers, dovecot } = overrides;
  return { ...config, providers: providers ?? config.providers, providersOption: providers !== undefined, dovecotOption: dovecot };
}

/** Validates parsed TOML. */
export function parseConfig(tables: Readonly<Record<string, unknown>>, file: string): Config {
  const { groups = {}, cache = {}, provider = {}, ...main } = tables;
  if (isTable(main.providers)) throw new ConfigError(`${file}: ${PLURAL_TABLE}`);
  if (!isTable(provider)) throw new ConfigError(`${file}: provider: expected tables such as [provider.unix], found ${typeof provider}`);
  return {
    ...parseOptions(MAIN_OPTIONS, main, file, ['[groups]', '[cache]', '[provider.NAME]']),
    groups: parseOptions(GROUP_OPTIONS, groups, `${file}: [groups]`),
    cache: parseOptions(CACHE_OPTIONS, cache, `${file}: [cache]`),
    providersOption: false,
    dovecotOption: undefined,
    providerTables: provider,
    file,
  };
}

// `providers = […]` takes the name, so that `[providers.unix]` beside it is no TOML (section "Table": a key is defined once).
const PLURAL_TABLE = "a provider's own table is called [provider.NAME], without an s: in TOML `providers` can't be both a list and a table";

/** @throws ConfigError for a file that is missing, unreadable, or writable by others than its owner */
function readConfigFile(path: string, required: boolean): string | undefined {
  try {
    const { mode } = statSync(path);
    if ((mode & 0o022) !== 0) {
      throw new ConfigError(
        `${path}: others than its owner can write this file (mode ${(mode & 0o777).toString(8)}); mend it with: chmod go-w ${path}`,
      );
    }
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    if (!required && error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new ConfigError(`${path}: the configuration can't be read: ${explain(error)}`, { cause: error });
  }
}

async function parseToml(text: string, path: string): Promise<Readonly<Record<string, unknown>>> {
  const { parse } = await import('smol-toml');
  try {
    return parse(text);
  } catch (error) {
    if (/^\s*\[providers\./m.test(text)) throw new ConfigError(`${path}: ${PLURAL_TABLE}`, { cause: error });
    const [summary] = explain(error).split('\n\n');
    const place = error instanceof Error && 'line' in error && 'column' in error ? `:${error.line}:${error.column}` : '';
    throw new ConfigError(`${path}${place}: ${summary}`, { cause: error });
  }
}
