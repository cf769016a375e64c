import { deepStrictEqual, ok } from 'node:assert/strict';
import fc from 'fast-check';
import { parse } from 'smol-toml';
import { type Config, parseConfig } from '../../../src/config/load.js';
import { parseOptions } from '../../../src/config/options.js';
import { OPTIONS as FILE } from '../../../src/providers/file/options.js';
import { OPTIONS as LDAP } from '../../../src/providers/ldap/options.js';
import { OPTIONS as UNIX } from '../../../src/providers/unix/options.js';
import { ConfigError } from '../../../src/support/errors.js';
import type { Target } from '../target.js';

const KEYS = [
  'providers',
  'on_error',
  'on_incomplete',
  'timeout',
  'dovecot_version',
  'user_format',
  'master_user',
  'include',
  'exclude',
  'rename',
];
const MORE = [
  'add',
  'case',
  'ttl',
  'stale_ttl',
  'max_size',
  'max_users',
  'room',
  'path',
  'uris',
  'preset',
  'max_groups',
  'nesting_level',
  'typo',
];
const TABLES = [
  '[groups]',
  '[cache]',
  '[userdb]',
  '[provider.unix]',
  '[provider.ldap]',
  '[provider.file]',
  '[providers.ldap]',
  '[[cache]]',
  '[groups.rename]',
];
const VALUES = [
  '"30s"',
  '"5m"',
  '"1h"',
  '"0s"',
  '"500ms"',
  '"64M"',
  '"1K"',
  '"32G"',
  '"deny"',
  '"continue"',
  '"full"',
  '"2.4"',
  '"lower"',
  '[]',
];
const ODD = [
  '["unix"]',
  '["unix", "ldap"]',
  '[1]',
  '""',
  '5',
  '-1',
  '1e9',
  'true',
  'nan',
  '1979-05-27',
  '{ a = "b" }',
  '{ "" = "" }',
  "'*'",
  '["a*", "[b-c]"]',
  '"\\u0000"',
  '"ü"',
  '__proto__',
  '"99999999999h"',
  '"1.5s"',
];
const key = fc.constantFrom(...KEYS, ...MORE, '"a b"', '__proto__', 'constructor', 'groups.add', 'cache.ttl');
const value = fc.constantFrom(...VALUES, ...ODD);
const line = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(key, value).map(([name, given]) => `${name} = ${given}`) },
  { weight: 3, arbitrary: fc.constantFrom(...TABLES) },
  { weight: 1, arbitrary: fc.constantFrom('# comment', '', '=', '[', '[provider]', 'provider = 1', 'a = "', '\r', '\0') },
);

const PROVIDERS = { unix: UNIX, ldap: LDAP, file: FILE };

/** Whether every value is one that the manual allows. */
function checkConfig(config: Config): void {
  const { groups, cache, userdb } = config;
  ok(
    Array.isArray(config.providers) && config.providers.length > 0 && config.providers.every((name) => typeof name === 'string'),
    'providers',
  );
  ok(['deny', 'continue'].includes(config.on_error) && ['warn', 'deny'].includes(config.on_incomplete), 'on_error');
  ok(['auto', '2.3', '2.4'].includes(config.dovecot_version) && ['full', 'local'].includes(config.user_format), 'user_format');
  for (const milliseconds of [config.timeout, cache.ttl, cache.stale_ttl]) ok(milliseconds >= 0 && milliseconds < 2 ** 53, 'a duration');
  ok(config.timeout >= 1, 'timeout');
  ok(cache.max_size >= 1024 && cache.max_size <= 32 * 2 ** 30 && userdb.room >= 0 && userdb.room <= 7168, 'a size');
  ok(
    [...groups.include, ...groups.exclude, ...groups.add].every((text) => typeof text === 'string') && groups.rename instanceof Map,
    'groups',
  );
  ok(Object.getPrototypeOf(config) === Object.prototype && !('typo' in config), 'keys');
}

/** The configuration, as text. */
export const configuration: Target = {
  name: 'configuration',
  inputs: fc.array(line, { maxLength: 8 }).map((lines) => lines.join('\n')),
  tokens: [...KEYS, ...MORE, ...TABLES, ...VALUES, ...ODD, '\n', ' = ', '"', '[', ']', '{', '}', ',', '.', '#'],
  check(text) {
    let tables: Readonly<Record<string, unknown>>;
    try {
      tables = parse(text);
    } catch (error) {
      ok(error instanceof Error && error.name !== 'RangeError', String(error));
      return;
    }
    const read = <Read>(from: () => Read): Read | undefined => {
      try {
        return from();
      } catch (error) {
        ok(error instanceof ConfigError && /^\/x\.toml: /.test(error.message), String(error));
        return undefined;
      }
    };
    const config = read(() => parseConfig(tables, '/x.toml'));
    if (config === undefined) return;
    checkConfig(config);
    deepStrictEqual(parseConfig(tables, '/x.toml'), config);
    for (const [name, options] of Object.entries(PROVIDERS))
      read(() => parseOptions<Record<string, unknown>>({ ...options }, config.providerTables[name] ?? {}, `/x.toml: [provider.${name}]`));
  },
};
