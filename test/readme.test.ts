import { chmodSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { parseArguments } from '../src/args.js';
import { configSchema } from '../src/commands/config-schema.js';
import { parseConfig } from '../src/config/load.js';
import { parseOptions } from '../src/config/options.js';
import { loadProvider } from '../src/providers/registry.js';
import { testDirectory } from './support/command.js';
import { PROJECT } from './support/project.js';

const PACKAGE = join(PROJECT, 'src/package');
const read = (...path: readonly string[]): string => readFileSync(join(PROJECT, ...path), 'utf8');

const manuals = readdirSync(join(PACKAGE, 'manual')).map((file) => `src/package/manual/${file}`);
const examples = readdirSync(join(PACKAGE, 'examples')).map((file) => `src/package/examples/${file}`);
const snippets = readdirSync(join(PACKAGE, 'dovecot')).map((file) => read('src/package/dovecot', file));

interface Block {
  readonly file: string;
  readonly language: string;
  readonly text: string;
}

/** Every block of code in the documents. */
const blocks: readonly Block[] = ['README.md', ...manuals].flatMap((file) =>
  [...read(file).matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language = '', text = '']) => ({ file, language, text })),
);
const ofLanguage = (language: string): readonly Block[] => blocks.filter((block) => block.language === language);

/** The files of an example that are read at start, and are not there. */
const directory = testDirectory();
const FILES = { tls_ca_file: '', bind_password_file: directory.write('password', 'secret\n') };
chmodSync(FILES.bind_password_file, 0o600);

describe('the configurations of the documents', () => {
  const configurations = [...ofLanguage('toml'), ...examples.map((file) => ({ file, text: read(file) }))];

  it.each(configurations)('are valid: $file', async ({ file, text }) => {
    const { providers, providerTables } = parseConfig(parse(text), file);
    expect(providers).not.toEqual([]);
    for (const name of providers) {
      const { options, create } = await loadProvider(name, file);
      const given = parseOptions<object>(options, providerTables[name] ?? {}, name);
      const log = { debug: () => {}, info: () => {}, warning: () => {}, error: () => {} };
      // What contradicts itself is said here. A password file that isn't there comes later, at the first bind.
      await create({ ...given, ...('bind_dn' in given && FILES) }, { log, directory: '/etc' }).close?.();
    }
  });

  it.each(configurations)('pass the JSON Schema that editors are given: $file', async ({ text }) => {
    const validate = new Ajv({ strict: true }).compile(await configSchema());
    validate(parse(text));
    expect(validate.errors).toBeNull();
  });

  it('are held to more than nothing by that schema', async () => {
    const validate = new Ajv({ strict: true, allErrors: true }).compile(await configSchema());
    validate(parse('timeout = 5\nprovider_list = []\n[groups]\ncase = "upper"\n[provider.file]\n[provider.mine]\nx = 1'));
    expect(validate.errors?.map(({ instancePath, keyword }) => `${instancePath} ${keyword}`).sort()).toEqual([
      ' additionalProperties',
      '/groups/case enum',
      '/provider/file required',
      '/timeout type',
    ]);
  });

  it('have every commented line of the conffile as its default', () => {
    const text = read('src/package/examples/acl-groups.toml').replaceAll(/^#(?=\w+ = |\[)/gm, '');
    expect(parseConfig(parse(text), 'f')).toEqual({ ...parseConfig({}, 'f'), providerTables: { unix: { min_gid: 0 } } });
  });
});

describe('what the documents show of dovecot.conf', () => {
  const userdbs = ofLanguage('').filter(({ file }) => file === 'README.md');

  it.each(userdbs)('is in a file to copy: $text', ({ text }) => {
    expect(snippets.filter((snippet) => snippet.includes(text)).length).toBeGreaterThan(0);
  });

  it('shows each file for the recommended way whole', () => {
    for (const name of ['userdb-2.4.conf', 'userdb-2.3.conf', 'acl-groups-ldap.conf.ext']) {
      const text = read('src/package/dovecot', name).replace(/^(#.*\n)+\n/, '');
      expect(userdbs.map((block) => block.text)).toContain(text);
    }
  });

  it('has the service block alike in both files that have it', () => {
    const service = (name: string): string => /^service acl-groups \{.*?^\}$/ms.exec(read('src/package/dovecot', name))?.[0] ?? name;
    for (const version of ['2.3', '2.4']) expect(service(`post-login-${version}.conf`)).toBe(service(`userdb-${version}.conf`));
  });
});

describe('the commands of the documents', () => {
  /** Those of others, each tried by a suite: what installs by test/full and test/e2e/package.test.ts, Dovecot's by the suites of its doors. */
  const OTHERS =
    /^(apt install|npm (install --global|test)|doveadm (reload|user -f acl_groups|auth cache flush)|install -d -o dovecot|cp|ln -s|sed|cd \/opt)\b/;
  const lines = ofLanguage('sh').flatMap(({ text }) => text.trim().split('\n'));

  it.each(lines)('are real: %s', (line) => {
    if (OTHERS.test(line)) return;
    const [, words = ''] = /^(?:USER=\w+ )?acl-groups (.*)$/.exec(line) ?? expect.fail(`unknown command: ${line}`);
    expect(parseArguments(words.split(' ')).operands).not.toEqual([]);
  });
});

describe('the languages and links of the documents', () => {
  it('has no block that no test knows; the js one is run by test/e2e/foreign-provider.test.ts', () => {
    expect(new Set(blocks.map(({ language }) => language))).toEqual(new Set(['', 'sh', 'toml', 'js']));
    expect(ofLanguage('js').map(({ file }) => file)).toEqual(['README.md']);
  });

  it.each(['README.md', ...manuals])('lead somewhere: %s', (file) => {
    const targets = [...read(file).matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, target = '']) => target);
    const missing = targets.filter((target) => !/^https?:/.test(target) && !existsSync(join(PROJECT, file, '..', target)));
    expect(missing).toEqual([]);
  });
});
