import { describe, expect, it } from 'vitest';
import { parseGroupFile } from '../../../src/providers/file/group-file.js';

/** What the file says, as plain data. */
function parsed(text: string): Record<string, readonly unknown[]> {
  return Object.fromEntries([...parseGroupFile(text)].map(([member, groups]) => [member, [...groups]]));
}

it('passes over a byte order mark, and refuses members that are not UTF-8', () => {
  expect([...(parseGroupFile('\uFEFFstaff:x::alice\n').get('alice') ?? [])]).toEqual([{ name: 'staff' }]);
  expect(() => parseGroupFile('staff:x::alice\nsales:x::caf\uFFFD\n')).toThrow('line 2: the member "caf\uFFFD" is not valid UTF-8');
});

describe('parseGroupFile', () => {
  it('reads groups in the order of the file, with ids where there are any', () => {
    expect(parsed('b:x:2:alice@example.com,bob\na::1:alice@example.com\nno id:::bob\n')).toEqual({
      'alice@example.com': [
        { name: 'b', gid: 2 },
        { name: 'a', gid: 1 },
      ],
      bob: [{ name: 'b', gid: 2 }, { name: 'no id' }],
    });
  });

  it('passes over comments, empty lines and groups without members; does without a last end of line', () => {
    expect(parsed('# a:b:c\n\n  \nempty:x:3:\n a :*:4: , bob ,,\tcarol\r\nlast:x:5:bob')).toEqual({
      bob: [
        { name: ' a ', gid: 4 },
        { name: 'last', gid: 5 },
      ],
      carol: [{ name: ' a ', gid: 4 }],
    });
    expect(parsed('')).toEqual({});
  });

  it('takes two lines with one name as one group, and a member given twice as one', () => {
    expect(parsed('a:x:1:bob,bob\na:x:2:carol,bob\n')).toEqual({ bob: [{ name: 'a', gid: 1 }], carol: [{ name: 'a', gid: 1 }] });
  });

  it('leaves names as they are: no member is an object key, a colon may be in the last field', () => {
    expect([...parseGroupFile('Domain Users:x::__proto__,user@[IPv6:::1]\n')]).toEqual([
      ['__proto__', new Set([{ name: 'Domain Users' }])],
      ['user@[IPv6:::1]', new Set([{ name: 'Domain Users' }])],
    ]);
  });

  it.each([
    ['a:x:1:bob\nb x 2 bob\n', 'line 2: expected name:password:gid:members, found "b x 2 bob"'],
    ['a:x:1', 'line 1: expected name:password:gid:members, found "a:x:1"'],
    [':x:1:bob', 'line 1: the group has no name: ":x:1:bob"'],
    ['a:x:one:bob', 'line 1: expected a number or nothing for the gid, found "one"'],
    ['a:x:-1:bob', 'line 1: expected a number or nothing for the gid, found "-1"'],
  ])('refuses %j', (text, message) => {
    expect(() => parseGroupFile(text)).toThrow(new Error(message));
  });
});
