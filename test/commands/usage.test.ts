import { expect, it } from 'vitest';
import { COMMANDS } from '../../src/args.js';
import { formatHelp, usageOf } from '../../src/commands/usage.js';

it('writes the usage of each command from its options', () => {
  expect(usageOf('exec')).toBe('acl-groups [-p names] [-c file] [-D version] [-C dir] [--] program [argument...]');
  expect(usageOf('lookup')).toBe('acl-groups lookup [-jv] [-p names] [-c file] [-D version] [-s path] user...');
  expect(usageOf('providers')).toBe('acl-groups providers [-j] [--schema]');
  expect(usageOf('version')).toBe('acl-groups -V');
});

it('shows every command in 80 columns', () => {
  const text = formatHelp();
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  for (const { description } of Object.values(COMMANDS)) {
    expect(text.replace(/\s+/g, ' ')).toContain(description);
  }
});
