import { afterEach, expect, it, vi } from 'vitest';
import { parseArguments } from '../../src/args.js';
import { providers } from '../../src/commands/providers.js';

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

it('lists each provider with its options, defaults written as in the configuration file', async () => {
  const text = await output();
  expect(text).toContain('unix: ');
  expect(text).toContain('    source = "auto"\n');
  expect(text).toContain('    connect_timeout = "2s"\n');
  expect(text).toContain('    max_groups = 1000\n');
});

it('says of an option without a default that it has to be given', async () => {
  expect(await output()).toContain(
    'file: a group file of virtual users\n    path = … (required)\n        a file in the format of /etc/group',
  );
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
