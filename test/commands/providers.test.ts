import { afterEach, expect, it, vi } from 'vitest';
import { parseArguments } from '../../src/args.js';
import { providers } from '../../src/commands/providers.js';
import { UsageError } from '../../src/support/errors.js';

afterEach(() => vi.restoreAllMocks());

async function output(...words: string[]): Promise<string> {
  let written = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written += String(text);
    return true;
  });
  expect(await providers(parseArguments(['providers', ...words]))).toBe(0);
  return written;
}

it('shows each provider as a table within 80 columns, defaults written as in the configuration file', async () => {
  const text = await output();
  expect(text).toContain(`[provider.unix]
  the machine's own accounts, whatever nsswitch.conf takes them from

  option           default  meaning
  source           "auto"   `);
  expect(text).toContain('  connect_timeout       "2s"          duration for TCP');
  expect(text).toContain('  max_groups            1000          groups of one user');
  expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
});

it('marks what has to be given', async () => {
  const text = await output();
  for (const name of ['uris', 'user_base', 'group_base', 'path']) expect(text).toMatch(new RegExp(`^  ${name} +\\(required\\) `, 'm'));
  expect(text.match(/\(required\)/g)).toHaveLength(4);
});

it('says which words an option can have', async () => {
  expect((await output()).replace(/\s+/g, ' ')).toContain('oldest TLS to accept; one of "TLSv1.2", "TLSv1.3"');
});

it('takes no operand', async () => {
  await expect(output('ldap')).rejects.toThrow(new UsageError('providers takes no operand, found "ldap"; try: acl-groups --help'));
});

it('gives programs an object a line', async () => {
  const listed = (await output('--json'))
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
  expect(listed).toContainEqual(expect.objectContaining({ name: 'unix', installed: true }));
  expect(listed).toContainEqual(
    expect.objectContaining({
      name: 'ldap',
      options: expect.arrayContaining([expect.objectContaining({ name: 'timeout', default: '3s' })]),
    }),
  );
});

it('prints the JSON Schema of the configuration, every table and option with its description', async () => {
  const schema = JSON.parse(await output('--schema'));
  expect(schema.$schema).toBe('http://json-schema.org/draft-07/schema#');
  expect(schema.properties.on_error).toMatchObject({ enum: ['deny', 'continue'], default: 'deny', description: expect.any(String) });
  expect(schema.properties.cache.properties.ttl).toMatchObject({ type: 'string', default: '30s' });
  expect(schema.properties.provider.properties.ldap.required).toEqual(['uris', 'user_base', 'group_base']);
  expect(schema.properties.provider.properties.file.required).toEqual(['path']);
  expect(schema.additionalProperties).toBe(false);
});
