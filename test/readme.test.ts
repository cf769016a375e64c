import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../src/config/load.js';
import { parseOptions } from '../src/config/options.js';
import { loadProvider } from '../src/providers/registry.js';
import { SPELLING, scriptLoginBlocks } from './support/dovecot-config.js';
import { PROJECT } from './support/project.js';

const readme = readFileSync(join(PROJECT, 'README.md'), 'utf8');
const examples = [...readme.matchAll(/```toml\n(.*?)```/gs)].map(([, text = '']) => text);

describe('the configurations of the README', () => {
  it('have the defaults that it speaks of', () => {
    expect(parseConfig(parse(examples[0] ?? ''), 'README.md')).toEqual({
      ...parseConfig({}, 'README.md'),
      providerTables: { unix: expect.any(Object) },
    });
  });

  it.each(examples)('are valid: %s', async (text) => {
    const { providers, providerTables } = parseConfig(parse(text), 'README.md');
    for (const name of providers) {
      const { options } = await loadProvider(name, 'README.md');
      const given = providerTables[name] ?? {};
      expect(Object.keys(parseOptions<object>(options, given, name))).toEqual(expect.arrayContaining(Object.keys(given)));
    }
  });

  it('show the defaults of the unix provider', async () => {
    const { options } = await loadProvider('unix', 'README.md');
    const { unix } = parseConfig(parse(examples[0] ?? ''), 'README.md').providerTables;
    expect(parseOptions<object>(options, unix, 'unix')).toEqual(parseOptions<object>(options, {}, 'unix'));
  });
});

describe('the service blocks of the README', () => {
  // The resident service's block is taken from the README by the suites.
  it("are the documentation's for a script-login chain", () => {
    const bare = (text: string): string => text.replace(/^\s*(#.*)?\n/gm, '');
    const [block = ''] = /^service imap \{\n {2}executable = imap imap-postlogin\n.*?(?=```)/ms.exec(readme) ?? [];
    const documented = scriptLoginBlocks('2.3', '/usr/local/bin/acl-groups');
    expect(bare(block)).toBe(bare(documented.slice(0, documented.indexOf('\nservice pop3 {'))));
  });

  it('name what differs on Dovecot 2.4', () => {
    const { internalUser, noLimit } = SPELLING['2.4'];
    expect(readme).toContain(`On Dovecot 2.4 two lines differ: \`user = ${internalUser}\` and \`vsz_limit = ${noLimit}\`.`);
    expect(readme).toContain(`On Dovecot 2.4 it is \`user = ${internalUser}\`.`);
  });
});
