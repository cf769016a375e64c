import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readMemberships } from '../../../src/providers/file/memberships.js';
import { checkStrictly } from '../../fuzz/targets/accounts.js';
import { accountFiles } from '../../support/account-arbitraries.js';

const bytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

/** What the file says, as plain data. */
function read(text: string): Record<string, readonly unknown[]> {
  return Object.fromEntries([...readMemberships(bytes(text))].map(([member, groups]) => [member, [...groups]]));
}

describe('readMemberships', () => {
  it('reads groups in the order of the file, with ids where there are any', () => {
    expect(read('b:x:2:alice@example.com,bob\na::1:alice@example.com\nno id:::bob\nbüro:::müller@example.com\n')).toEqual({
      'alice@example.com': [
        { name: 'b', gid: 2 },
        { name: 'a', gid: 1 },
      ],
      bob: [{ name: 'b', gid: 2 }, { name: 'no id' }],
      'müller@example.com': [{ name: 'büro' }],
    });
  });

  it('passes over comments, indented ones too, lines of blanks, and empty members; does without a last end of line', () => {
    expect(read('# a:b:c\n  # off:x:1:bob\n\t#\n\n  \r\nempty:x:3:\nnone:x:3: , ,\t\na:*:4:,bob,,carol\nlast:x:5:bob')).toEqual({
      bob: [
        { name: 'a', gid: 4 },
        { name: 'last', gid: 5 },
      ],
      carol: [{ name: 'a', gid: 4 }],
    });
    expect(read('')).toEqual({});
  });

  it('does not count blanks in front of a name and around members, as Windows editors leave them', () => {
    expect(read('  staff:x:4: bob ,\tcarol\r\n\tsales:x:5:bob \r')).toEqual({
      bob: [
        { name: 'staff', gid: 4 },
        { name: 'sales', gid: 5 },
      ],
      carol: [{ name: 'staff', gid: 4 }],
    });
    // No blank to group(5).
    expect(read('staff:x:4:\u00a0bob\n')).toEqual({ '\u00a0bob': [{ name: 'staff', gid: 4 }] });
  });

  it('passes over a byte order mark', () => {
    expect(read('\ufeffstaff:x::alice\n')).toEqual({ alice: [{ name: 'staff' }] });
    expect(read('\ufeff# comment\n')).toEqual({});
  });

  it('takes two lines with one name as one group, and a member given twice as one', () => {
    expect(read('a:x:1:bob,bob\n a:x:2:carol,bob\n')).toEqual({ bob: [{ name: 'a', gid: 1 }], carol: [{ name: 'a', gid: 1 }] });
  });

  it('leaves names as they are: no member is an object key, a colon may be in the last field', () => {
    expect([...readMemberships('Domain Users:x::__proto__,user@[IPv6:::1]\n')]).toEqual([
      ['__proto__', new Set([{ name: 'Domain Users' }])],
      ['user@[IPv6:::1]', new Set([{ name: 'Domain Users' }])],
    ]);
  });

  it.each([
    ['a:x:1:bob\nb x 2 bob\n', 'line 2: expected name:password:gid:members, found "b x 2 bob"'],
    ['a:x:1', 'line 1: expected name:password:gid:members, found "a:x:1"'],
    ['a', 'line 1: expected name:password:gid:members, found "a"'],
    [`${'a'.repeat(200)}`, `line 1: expected name:password:gid:members, found "${'a'.repeat(100)}…"`],
    [':x:1:bob', 'line 1: the group has no name: ":x:1:bob"'],
    ['\n  :x:1:bob', 'line 2: the group has no name: "  :x:1:bob"'],
    ['staff :x:1:bob', 'line 1: the name "staff " ends with a blank'],
    ['+admins:x:1:bob', 'line 1: the name "+admins" begins with + or -, which group(5) has for entries of NIS'],
    [' -admins:x:1:bob', 'line 1: the name "-admins" begins with + or -, which group(5) has for entries of NIS'],
    ['a:x:one:bob', 'line 1: expected a number up to 4294967294 or nothing for the gid, found "one"'],
    ['a:x:-1:bob', 'line 1: expected a number up to 4294967294 or nothing for the gid, found "-1"'],
    ['a:x: 1:bob', 'line 1: expected a number up to 4294967294 or nothing for the gid, found " 1"'],
    ['a:x:4294967295:bob', 'line 1: expected a number up to 4294967294 or nothing for the gid, found "4294967295"'],
    ['a:x:1:bob\0\n', 'line 1: the line of the group "a" holds a NUL byte'],
    ['a\u001b:x:x:bob', 'line 1: expected a number up to 4294967294 or nothing for the gid, found "x"'],
    ['\u001b[2J', 'line 1: expected name:password:gid:members, found "\\u{1b}[2J"'],
  ])('refuses %j', (text, message) => {
    expect(() => read(text)).toThrow(new Error(`${message}; fix that line`));
  });

  it('grants no group that other readers of group(5) do not see, and loses none that they see', () => {
    fc.assert(
      fc.property(accountFiles, ({ group }) => checkStrictly(group)),
      { numRuns: 2000 },
    );
  });

  it('refuses members that are not UTF-8', () => {
    expect(() => readMemberships('staff:x::alice\nsales:x::caf\xe9\n')).toThrow(
      new Error('line 2: the member "caf\ufffd" is not valid UTF-8; fix that line'),
    );
  });
});
