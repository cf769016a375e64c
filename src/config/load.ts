import { isUtf8 } from 'node:buffer';
import { resolve } from 'node:path';
import { ConfigError, explain } from '../support/errors.js';
import { readTrustedFile, UntrustedFileError } from '../support/trusted-file.js';
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
  readonly master_user: 'auto' | 'user' | 'master';
}

/** The keys of `[groups]`. */
export interface GroupsConfig {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly rename: ReadonlyMap<string, string>;
  readonly add: readonly string[];
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

/** The keys of `[userdb]`, the door of Dovecot's auth process. */
export interface UserdbConfig {
  /** Bytes. */
  readonly room: number;
}

/** A validated configuration. Keys are those of the file. */
export interface Config extends MainConfig {
  readonly groups: GroupsConfig;
  readonly cache: CacheConfig;
  readonly userdb: UserdbConfig;
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
  providers: option(
    texts(['unix'], 1),
    'where groups come from, in this order: names from `acl-groups providers`, or a path or package name',
  ),
  on_error: option(oneOf(['deny', 'continue'], 'deny'), 'when a provider fails: end the login, or go on with the groups that there are'),
  on_incomplete: option(
    oneOf(['warn', 'deny'], 'warn'),
    "when a provider names a group that can't be read: grant the others with a warning, or treat it as a failure, which on_error decides about",
  ),
  timeout: option(duration('5s', '1ms'), "for one user's whole answer"),
  dovecot_version: option(oneOf(['auto', '2.3', '2.4'], 'auto'), 'whose rules names are written by'),
  user_format: option(oneOf(['full', 'local'], 'full'), 'which part of the user name is the account: all of it, or the part before @'),
  master_user: option(
    oneOf(['auto', 'user', 'master'], 'auto'),
    "when a master user logs in as another user, whose groups: the user's, the master user's, or (auto) those of the one as whom Dovecot checks ACLs",
  ),
};

const GROUP_OPTIONS: OptionTable<GroupsConfig> = {
  include: option(texts(), 'globs of the groups to pass on, by the names that their sources give them; empty means all'),
  exclude: option(texts(), 'globs of groups to leave out: * is any text, ? any character, \\ takes the next character as it is'),
  rename: option(textMap(), 'new names, by the names that the sources give'),
  add: option(
    texts(),
    'groups of everybody whom a provider knows, behind those of the providers and untouched by the other keys: for what acl_groups in dovecot.conf was, which a userdb field replaces',
  ),
  case: option(oneOf(['keep', 'lower'], 'keep'), 'Dovecot compares names exactly; "lower" makes them lower-case'),
};

const CACHE_OPTIONS: OptionTable<CacheConfig> = {
  ttl: option(duration('30s'), 'serve mode and --cache-dir: how long an answer is used without asking again; "0s" asks for each login'),
  stale_ttl: option(duration('1h'), 'serve mode: how old an answer may be that stands in when a provider fails; "0s" means never'),
  max_size: option(
    size('64M', '1K', '32G'),
    'serve mode: memory for answers with all that it takes to keep them; those that nobody asks for go first',
  ),
};

const USERDB_OPTIONS: OptionTable<UserdbConfig> = {
  room: option(
    size('1K', '1K', '7K'),
    'userdb door: how much of the 8,192 bytes that Dovecot takes of a userdb reply is kept free for the fields of the userdbs before',
  ),
};

/** Every table of the file but the providers' own, by its name; the top of the file has the empty one. */
export const CONFIG_TABLES: Readonly<Record<'' | 'groups' | 'cache' | 'userdb', Readonly<Record<string, OptionSpec>>>> = {
  '': { ...MAIN_OPTIONS },
  groups: { ...GROUP_OPTIONS },
  cache: { ...CACHE_OPTIONS },
  userdb: { ...USERDB_OPTIONS },
};

/** Keys of before, and what is said instead today. */
const FORMER_CACHE_KEYS = { max_users: 'max_size, the memory that answers may take, such as "64M"' };

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
  const { groups = {}, cache = {}, userdb = {}, provider = {}, ...main } = tables;
  if (isTable(main.providers)) throw new ConfigError(`${file}: ${PLURAL_TABLE}`);
  if (!isTable(provider)) throw new ConfigError(`${file}: provider: expected tables such as [provider.unix], found ${typeof provider}`);
  return {
    ...parseOptions(MAIN_OPTIONS, main, file, ['[groups]', '[cache]', '[userdb]', '[provider.NAME]']),
    groups: parseOptions(GROUP_OPTIONS, groups, `${file}: [groups]`),
    cache: parseOptions(CACHE_OPTIONS, cache, `${file}: [cache]`, [], FORMER_CACHE_KEYS),
    userdb: parseOptions(USERDB_OPTIONS, userdb, `${file}: [userdb]`),
    providersOption: false,
    dovecotOption: undefined,
    // Without a prototype: a provider may be called constructor.
    providerTables: Object.assign(Object.create(null), provider),
    file,
  };
}

// `providers = […]` takes the name, so that `[providers.unix]` beside it is no TOML (section "Table": a key is defined once).
const PLURAL_TABLE = "a provider's own table is called [provider.NAME], without an s: in TOML `providers` can't be both a list and a table";

/** @throws ConfigError for a file that is missing, unreadable, not UTF-8, or that others could have written */
function readConfigFile(path: string, required: boolean): string | undefined {
  const bytes = readBytes(path, required);
  if (bytes === undefined || isUtf8(bytes)) return bytes?.toString();
  // Read as U+FFFD, such a byte would make a glob that excludes nothing, and nobody would hear of it.
  const line =
    bytes
      .toString('latin1')
      .split('\n')
      .findIndex((text) => !isUtf8(Buffer.from(text, 'latin1'))) + 1;
  throw new ConfigError(`${path}:${line}: this line is not UTF-8, which TOML is written in; convert the file: iconv -f latin1 -t utf8`);
}

function readBytes(path: string, required: boolean): Buffer | undefined {
  try {
    return readTrustedFile(path);
  } catch (error) {
    if (error instanceof UntrustedFileError) throw new ConfigError(error.message, { cause: error });
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
