import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFAULT_CONFIG_FILE, loadConfig } from '../../src/config/load.js';
import { ConfigError } from '../../src/support/errors.js';
import { testDirectory } from '../support/command.js';

const directory = testDirectory();

/** The message that a configuration is refused with, after the file's name. */
async function refusal(toml: string): Promise<string> {
  const file = directory.write('refused.toml', toml);
  const error = await loadConfig(file).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ConfigError);
  const { message, exitStatus } = error as ConfigError;
  expect(exitStatus).toBe(78);
  expect(message.startsWith(file)).toBe(true);
  return message.slice(file.length);
}

describe('loadConfig', () => {
  it('has the defaults of the documentation for an empty file', async () => {
    const file = directory.write('empty.toml', '');
    expect(await loadConfig(file)).toEqual({
      providers: ['unix'],
      providersOption: false,
      on_error: 'deny',
      on_incomplete: 'warn',
      timeout: 5000,
      dovecot_version: 'auto',
      user_format: 'full',
      groups: { include: [], exclude: [], rename: {}, case: 'keep' },
      cache: { ttl: 30_000, stale_ttl: 3_600_000, max_size: 64 * 1024 ** 2 },
      dovecotOption: undefined,
      providerTables: {},
      file,
    });
  });

  it('reads every key', async () => {
    const file = directory.write(
      'full.toml',
      `providers = ["unix", "./own.js"]
on_error = "continue"
on_incomplete = "deny"
timeout = "500ms"
dovecot_version = "2.4"
user_format = "local"
[groups]
include = ["mail-*"]
exclude = ['CORP\\\\*']
rename = { "Domain Users" = "everyone" }
case = "lower"
[cache]
ttl = "1m"
stale_ttl = "0s"
max_size = "5K"
[provider.unix]
anything = 1
`,
    );
    expect(await loadConfig(file)).toEqual({
      providers: ['unix', './own.js'],
      providersOption: false,
      on_error: 'continue',
      on_incomplete: 'deny',
      timeout: 500,
      dovecot_version: '2.4',
      user_format: 'local',
      groups: { include: ['mail-*'], exclude: ['CORP\\\\*'], rename: { 'Domain Users': 'everyone' }, case: 'lower' },
      cache: { ttl: 60_000, stale_ttl: 0, max_size: 5120 },
      dovecotOption: undefined,
      providerTables: { unix: { anything: 1 } },
      file,
    });
  });

  it('lets the command line go first, and keeps apart what each says of the version', async () => {
    const file = directory.write('overridden.toml', 'providers = ["ldap"]\ndovecot_version = "2.3"\n');
    const config = await loadConfig(file, { providers: ['file', 'unix'], dovecot: '2.4' });
    expect(config).toMatchObject({ providers: ['file', 'unix'], dovecot_version: '2.3', dovecotOption: '2.4' });
  });

  it('does without the default file, but not without one that was asked for', async () => {
    const missing = join(directory.path, 'missing.toml');
    await expect(loadConfig(missing)).rejects.toThrow(
      new ConfigError(`${missing}: the configuration can't be read: ENOENT: no such file or directory, stat '${missing}'`),
    );
    expect(DEFAULT_CONFIG_FILE).toBe('/etc/acl-groups.toml');
  });

  it('refuses a file that others than its owner can write', async () => {
    const file = directory.write('writable.toml', '');
    for (const [mode, shown] of [
      [0o664, '664'],
      [0o646, '646'],
      [0o777, '777'],
    ] as const) {
      chmodSync(file, mode);
      await expect(loadConfig(file)).rejects.toThrow(
        new ConfigError(`${file}: others than its owner can write this file (mode ${shown}); mend it with: chmod go-w ${file}`),
      );
    }
    chmodSync(file, 0o644);
    await expect(loadConfig(file)).resolves.toMatchObject({ file });
  });

  it('refuses what is no file', async () => {
    const folder = join(directory.path, 'folder');
    mkdirSync(folder, { mode: 0o755 });
    await expect(loadConfig(folder)).rejects.toThrow(`${folder}: the configuration can't be read: EISDIR`);
  });

  const keys = 'providers, on_error, on_incomplete, timeout, dovecot_version, user_format, [groups], [cache], [provider.NAME]';
  const plural = ": a provider's own table is called [provider.NAME], without an s: in TOML `providers` can't be both a list and a table";
  it.each([
    ['provider_list = []', `: unknown key "provider_list"; allowed are ${keys}`],
    ['[group]', `: unknown key "group"; allowed are ${keys}`],
    ['[groups]\nexcluded = []', ': [groups]: unknown key "excluded"; allowed are include, exclude, rename, case'],
    ['[cache]\nsize = 1', ': [cache]: unknown key "size"; allowed are ttl, stale_ttl, max_size'],
    ['groups = 1', ': [groups]: expected a table of options, found number'],
    ['provider = "unix"', ': provider: expected tables such as [provider.unix], found string'],
    ['providers = "unix"', ': providers: expected a list of texts, found "unix"'],
    ['providers = [1]', ': providers.0: expected a text, found 1'],
    ['providers = [""]', ': providers.0: expected a text that is not empty'],
    ['on_error = "ignore"', ': on_error: expected one of "deny", "continue", found "ignore"'],
    ['on_incomplete = "error"', ': on_incomplete: expected one of "warn", "deny", found "error"'],
    ['on_error = true', ': on_error: expected one of "deny", "continue", found true'],
    ['timeout = 5', ': timeout: expected a duration such as "500ms", "3s" or "5m", found 5'],
    ['timeout = "5"', ': timeout: expected a duration such as "500ms", "3s" or "5m", found "5"'],
    ['timeout = "-5s"', ': timeout: expected a duration such as "500ms", "3s" or "5m", found "-5s"'],
    ['timeout = "600h"', ': timeout: expected a duration of 24 days at most'],
    ['dovecot_version = 2.4', ': dovecot_version: expected one of "auto", "2.3", "2.4", found 2.4'],
    ['user_format = "short"', ': user_format: expected one of "full", "local", found "short"'],
    ['[groups]\ninclude = "*"', ': [groups]: include: expected a list of texts, found "*"'],
    ['[groups]\nrename = ["a"]', ': [groups]: rename: expected a table of texts, found Array'],
    ['[groups]\nrename = { a = 1 }', ': [groups]: rename.a: expected a text, found 1'],
    ['[groups]\nrename = { a = "" }', ': [groups]: rename.a: expected a text that is not empty'],
    ['[cache]\nmax_size = 5', ': [cache]: max_size: expected a size such as "512K", "64M" or "1G", found 5'],
    ['[cache]\nmax_size = "0M"', ': [cache]: max_size: expected a size such as "512K", "64M" or "1G", found "0M"'],
    ['[providers.unix]', plural],
    ['providers = ["unix"]\n[providers.unix]\nsource = "files"', plural],
    ['[groups]\n[groups]', ':2:2: Invalid TOML document: trying to redefine an already defined table or value'],
    ['timeout = ', ':1:11: Invalid TOML document: invalid value'],
  ])('refuses %j', async (toml, message) => {
    expect(await refusal(toml)).toBe(message);
  });
});
