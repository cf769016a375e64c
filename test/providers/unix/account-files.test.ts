import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { indexGroup, indexPasswd } from '../../../src/providers/unix/account-files.js';
import type { Bytes } from '../../../src/support/group-lines.js';

describe('a passwd file', () => {
  it.each([
    ['a plain line', 'alice:x:1:5:g:/h:/bin/sh\n', 5],
    ['a last line without its end', 'alice:x:1:5', 5],
    ['blanks in front', '\t alice:x:1:5::\n', 5],
    ['a number with a blank and a sign', 'alice:x: 1: +5:', 5],
    ['leading zeros', 'alice:x:1:0005:', 5],
    ['a number beyond 32 bits', 'alice:x:1:4294967301:', 0xffff_ffff],
    ['a number beyond 64 bits', 'alice:x:1:99999999999999999999999999999999999999999:', 0xffff_ffff],
    ['a long row of zeros', `alice:x:1:${'0'.repeat(60)}5:`, 5],
    ['a negative number', 'alice:x:1:-1:', 0xffff_ffff],
    ['a negative number that wraps around', 'alice:x:1:-18446744073709551611:', 5],
    ['a second line of the name', 'alice:x:1:5:\nalice:x:1:6:', 5],
    ['a malformed line before', 'alice:x:1\nalice:x:1:5:', 5],
    ['a NUL behind the group id', 'alice:x:1:5\0:\n', 5],
  ])('takes %s', (_, text, gid) => {
    expect(indexPasswd(text).get('alice')).toBe(gid);
  });

  it.each([
    ['a comment', '#alice:x:1:5::'],
    ['too few fields', 'alice:x:1'],
    ['an empty group id', 'alice:x:1::'],
    ['a group id that is no number', 'alice:x:1:5x:'],
    ['a blank behind the group id', 'alice:x:1:5 :'],
    ['a carriage return behind the group id', 'alice:x:1:5\r\n'],
    ['an entry of compat', '+alice:x:1:5::'],
    ['a NUL in front', '\0alice:x:1:5::'],
  ])('skips %s', (_, text) => {
    expect([...indexPasswd(text).keys()]).not.toContain('alice');
  });
});

describe('a group file', () => {
  it('names an id by its first line, and has no names for comments and compat', () => {
    const text = '#c:x:1:\n+p:x:1:\n-m:x:1:\n one:x:1:\nuno:x:1:\ntwo:x:2\nthree:x:3:';
    expect([...indexGroup(text).names.values()]).toEqual(['one', 'two', 'three']);
  });

  it.each([
    ['one of several members', 'g:x:5:bob, alice,carl\n', [5]],
    ['the last line without its end', 'g:x:5:alice', [5]],
    ['a member listed twice', 'g:x:5:alice,alice', [5]],
    ['an id of two groups', 'g:x:5:alice\nh:x:5:alice\n', [5, 5]],
    ['a comment, which glibc reads for memberships', '#g:x:5:alice', [5]],
    ['an entry of compat without an id', '+:::alice', [0]],
    ['a part of a name', 'g:x:5:alice2,malice,alice \nalice:x:6:bob\n', []],
    ['a group that has only the name of the user', 'alice:x:6:', []],
    ['no members', 'g:x:5', []],
    ['what comes behind a NUL', 'g:x:5:bob\0,alice\n', []],
  ])('finds memberships: %s', (_, text, gids) => {
    expect([...new Set(indexGroup(text).gids.get('alice'))]).toEqual([...new Set(gids)]);
  });
});

describe('the work of reading', () => {
  /** A text that counts the characters that are looked at. */
  class Counted implements Bytes {
    work = 0;
    readonly text: string;
    readonly length: number;

    constructor(text: string) {
      this.text = text;
      this.length = text.length;
    }

    charCodeAt(at: number): number {
      this.work++;
      return this.text.charCodeAt(at);
    }

    indexOf(sought: string, from = 0): number {
      const found = this.text.indexOf(sought, from);
      this.work += (found < 0 ? this.length : found + sought.length) - from;
      return found;
    }

    slice(start: number, end: number): string {
      this.work += end - start;
      return this.text.slice(start, end);
    }
  }

  /** Times that a character is looked at, on average. */
  function perCharacter(read: (text: Bytes) => unknown, text: string): number {
    const counted = new Counted(text);
    read(counted);
    return counted.work / text.length;
  }

  const N = 20_000;
  const lines = (line: (n: number) => string): string => Array.from({ length: N }, (_, n) => `${line(n)}\n`).join('');

  it.each([
    ['one group of 20,000 members', `g:x:5:${Array.from({ length: N }, (_, n) => `alice${n}`).join(',')}\n`],
    ['20,000 groups of one member', lines((n) => `g${n}:x:${n}:alice`)],
    ['20,000 lines of one id and one member', lines(() => 'g:x:5:alice')],
    ['20,000 lines without a colon', lines(() => 'alice')],
    ['20,000 lines with a NUL', lines((n) => `g${n}:x:${n}:alice\0,bob`)],
    ['20,000 empty lines', lines(() => '')],
    ['one line without an end, of members', `g:x:5:${'alice,'.repeat(N)}`],
    ['one line without an end, of one member', `g:x:5:${'alice'.repeat(N)}`],
    ['one line without an end, of colons', ':'.repeat(N * 5)],
    ['one line without an end, of NULs', `g:x:5:${'\0'.repeat(N * 5)}`],
    ['a line of blanks', ' '.repeat(N * 5)],
    ['members of blanks', `g:x:5:${'     ,'.repeat(N)}`],
    ['an id of zeros that is none', `g:x:${'0'.repeat(N * 5)}x:alice`],
    ['an id of blanks', `g:x:${' '.repeat(N * 5)}5:alice`],
    ['an id of digits', `g:x:${'7'.repeat(N * 5)}:alice`],
  ])('grows with the length of the file alone: %s', (_, text) => {
    expect(perCharacter(indexGroup, text)).toBeLessThan(10);
    expect(perCharacter(indexPasswd, text)).toBeLessThan(10);
  });

  it('grows with the length of the file alone, whatever it is made of', () => {
    const part = fc.constantFrom('alice', ':', ',', '\n', ' ', '\t', '#', '+', '-', '0', '7', 'x', '\0', 'g:x:5:', 'alice:x:1:5::\n');
    const pattern = fc.array(part, { minLength: 1, maxLength: 8 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(pattern, pattern, pattern, (start, repeated, end) => {
        const text = start + repeated.repeat(2000) + end;
        expect(perCharacter(indexGroup, text)).toBeLessThan(10);
        expect(perCharacter(indexPasswd, text)).toBeLessThan(10);
      }),
    );
  });
});
