import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  indexGroup,
  indexPasswd,
  searchMember,
  searchNames,
  searchPasswd,
  withoutNuls,
} from '../../../src/providers/unix/account-files.js';
import { ACCOUNTS, accountFiles } from '../../support/account-arbitraries.js';

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
    expect(indexPasswd(withoutNuls(text)).get('alice')).toBe(gid);
    expect(searchPasswd(withoutNuls(text), 'alice')).toBe(gid);
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
  ])('leaves out %s', (_, text) => {
    expect([...indexPasswd(withoutNuls(text)).keys()]).not.toContain('alice');
    expect(searchPasswd(withoutNuls(text), 'alice')).toBeUndefined();
  });
});

describe('a group file', () => {
  it('names an id by its first line, and has no names for comments and compat', () => {
    const text = '#c:x:1:\n+p:x:1:\n-m:x:1:\n one:x:1:\nuno:x:1:\ntwo:x:2\nthree:x:3:';
    expect([...indexGroup(text).names.values()]).toEqual(['one', 'two', 'three']);
    expect([...searchNames(text, [2, 1, 9])]).toEqual([
      [1, 'one'],
      [2, 'two'],
    ]);
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
    const distinct = (ids: readonly number[] | undefined): number[] => [...new Set(ids)];
    expect(distinct(searchMember(withoutNuls(text), 'alice'))).toEqual(distinct(gids));
    expect(distinct(indexGroup(withoutNuls(text)).gids.get('alice'))).toEqual(distinct(gids));
  });
});

it('a search finds what the index has', () => {
  fc.assert(
    fc.property(accountFiles, fc.constantFrom(...ACCOUNTS), (files, account) => {
      const [passwd, group] = [withoutNuls(files.passwd), withoutNuls(files.group)];
      const name = Buffer.from(account, 'utf8').toString('latin1');
      const index = indexGroup(group);
      expect(searchPasswd(passwd, name)).toBe(indexPasswd(passwd).get(name));
      expect([...new Set(searchMember(group, name))]).toEqual([...new Set(index.gids.get(name))]);
      const gids = [...index.names.keys()];
      expect(searchNames(group, gids)).toEqual(index.names);
    }),
    { numRuns: 1000 },
  );
});
