import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import wildcardMatch from 'wildcard-match';
import { compileGlob } from '../../src/login/glob.js';

describe('compileGlob', () => {
  it.each([
    ['*', ''],
    ['*', 'a/b'],
    ['**', '..'],
    ['*b', 'abab'],
    ['a*b*c', 'a-b-b-c-c'],
    ['*ab?', 'aabab😀'],
    ['?', '😀'],
    ['a?b', 'a/b'],
    ['\\*\\?\\\\', '*?\\'],
    ['\\a', 'a'],
    ['a\\', 'a\\'],
    ['[a-z]{b,c}', '[a-z]{b,c}'],
    ['', ''],
    ['*\n*', 'a\nb'],
  ])('%j fits %j', (glob, text) => {
    expect(compileGlob(glob)(text)).toBe(true);
  });

  it.each([
    ['', 'a'],
    ['a', 'A'],
    ['a', 'ab'],
    ['?', ''],
    ['?', 'ab'],
    ['*a', 'ab'],
    ['a*b', 'ba'],
    ['\\*', 'a'],
    ['a*a', 'a'],
  ])('%j does not fit %j', (glob, text) => {
    expect(compileGlob(glob)(text)).toBe(false);
  });

  it('agrees with a library that makes regular expressions', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?', '/', '.', '\\'), maxLength: 10 });
    const glob = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?', '/', '.', '\\*', '\\\\', '\\a'), maxLength: 7 });
    fc.assert(
      fc.property(glob, text, (pattern, name) => {
        expect(compileGlob(pattern)(name)).toBe(wildcardMatch(pattern, { separator: false, flags: 's' })(name));
      }),
      { numRuns: 20_000 },
    );
  });

  it('is done with the worst of names at once', () => {
    // As a regular expression this takes hours, so that the test would not end.
    expect(compileGlob(`${'*-'.repeat(40)}x`)('-'.repeat(255))).toBe(false);
  });
});
