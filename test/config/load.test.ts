import { chmodSync, chownSync, mkdirSync } from 'node:fs';
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
      master_user: 'auto',
      groups: { include: [], exclude: [], rename: new Map(), add: [], case: 'keep' },
      cache: { ttl: 30_000, stale_ttl: 3_600_000, max_size: 67_108_864 },
      userdb: { room: 1024 },
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
master_user = "user"
[groups]
include = ["mail-*"]
exclude = ['CORP\\\\*']
rename = { "Domain Users" = "everyone" }
add = ["staff"]
case = "lower"
[cache]
ttl = "1m"
stale_ttl = "0s"
max_size = "1G"
[userdb]
room = "2K"
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
      master_user: 'user',
      groups: {
        include: ['mail-*'],
        exclude: ['CORP\\\\*'],
        rename: new Map([['Domain Users', 'everyone']]),
        add: ['staff'],
        case: 'lower',
      },
      cache: { ttl: 60_000, stale_ttl: 0, max_size: 2 ** 30 },
      userdb: { room: 2048 },
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
      new ConfigError(`${missing}: the configuration can't be read: ENOENT: no such file or directory, open '${missing}'`),
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
        new ConfigError(`${file}: refused: it may be written by others than its owner (mode ${shown}); run: chmod go-w ${file}`),
      );
    }
    chmodSync(file, 0o644);
    await expect(loadConfig(file)).resolves.toMatchObject({ file });
  });

  it.skipIf(process.getuid?.() !== 0)("refuses somebody else's file", async () => {
    const file = directory.write('owned.toml', '');
    chownSync(file, 12_345, 0);
    await expect(loadConfig(file)).rejects.toThrow(
      new ConfigError(`${file}: refused: it belongs to uid 12345, not to root; run: chown root ${file}`),
    );
  });

  it('refuses what is not UTF-8, and names the line', async () => {
    const file = directory.write('latin1.toml', Buffer.from('# é\n[groups]\nexclude = ["caf\xe9"]\n', 'latin1'));
    await expect(loadConfig(file)).rejects.toThrow(
      new ConfigError(`${file}:1: this line is not UTF-8, which TOML is written in; convert the file: iconv -f latin1 -t utf8`),
    );
    const mixed = directory.write(
      'mixed.toml',
      Buffer.concat([Buffer.from('# é\n[groups]\n'), Buffer.from('exclude = ["caf\xe9"]\n', 'latin1')]),
    );
    await expect(loadConfig(mixed)).rejects.toThrow(`${mixed}:3: this line is not UTF-8`);
  });

  it('takes every name for data', async () => {
    const names = ['prototype', 'constructor', '__proto__', 'hasOwnProperty', 'toString', ''];
    const rename = names.map((name) => `${JSON.stringify(name)} = "new ${name}"`).join('\n');
    const file = directory.write('names.toml', `[groups.rename]\n${rename}\n[provider.constructor]\na = 1\n`);
    const { groups, providerTables } = await loadConfig(file);
    expect([...groups.rename]).toEqual(names.map((name) => [name, `new ${name}`]));
    expect(providerTables).toEqual({ constructor: { a: 1 } });
    expect((await loadConfig(directory.write('empty.toml', ''))).providerTables.constructor).toBeUndefined();
  });

  it('refuses what is no file', async () => {
    const folder = join(directory.path, 'folder');
    mkdirSync(folder, { mode: 0o755 });
    await expect(loadConfig(folder)).rejects.toThrow(new ConfigError(`${folder}: refused: it is a directory; name a regular file`));
  });

  const keys =
    'providers, on_error, on_incomplete, timeout, dovecot_version, user_format, master_user, [groups], [cache], [userdb], [provider.NAME]';
  const plural = ": a provider's own table is called [provider.NAME], without an s: in TOML `providers` can't be both a list and a table";
  it.each([
    ['provider_list = []', `: unknown key "provider_list"; allowed are ${keys}`],
    ['[group]', `: unknown key "group"; allowed are ${keys}`],
    ['[groups]\nexcluded = []', ': [groups]: unknown key "excluded"; allowed are include, exclude, rename, add, case'],
    ['[cache]\nsize = 1', ': [cache]: unknown key "size"; allowed are ttl, stale_ttl, max_size'],
    ['groups = 1', ': [groups]: expected a table of options, found a number'],
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
    ['[groups]\nrename = ["a"]', ': [groups]: rename: expected a table of texts, found a list'],
    ['[groups]\nrename = { a = 1 }', ': [groups]: rename.a: expected a text, found 1'],
    ['[groups]\nrename = { a = "" }', ': [groups]: rename.a: expected a text that is not empty'],
    ['providers = []', ': providers: expected a list of 1 at least, found none'],
    ['timeout = "0s"', ': timeout: expected a duration of "1ms" at least'],
    ['[cache]\nmax_users = 5', ': [cache]: max_users is gone; set max_size, the memory that answers may take, such as "64M"'],
    ['[cache]\nmax_size = 5', ': [cache]: max_size: expected a size from "1K" to "32G", such as "64M", found 5'],
    ['[cache]\nmax_size = "64"', ': [cache]: max_size: expected a size from "1K" to "32G", such as "64M", found "64"'],
    ['[cache]\nmax_size = "0M"', ': [cache]: max_size: expected a size from "1K" to "32G", such as "64M", found "0M"'],
    ['[userdb]\nroom = "8K"', ': [userdb]: room: expected a size from "1K" to "7K", such as "1K", found "8K"'],
    ['[userdb]\nroom = "0K"', ': [userdb]: room: expected a size from "1K" to "7K", such as "1K", found "0K"'],
    ['[providers.unix]', plural],
    ['providers = ["unix"]\n[providers.unix]\nsource = "files"', plural],
    ['[groups]\n[groups]', ':2:2: Invalid TOML document: trying to redefine an already defined table or value'],
    ['timeout = ', ':1:11: Invalid TOML document: invalid value'],
  ])('refuses %j', async (toml, message) => {
    expect(await refusal(toml)).toBe(message);
  });
});
