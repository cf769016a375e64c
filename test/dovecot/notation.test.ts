import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { appendAclGroups, formatAclGroups, isPlain, parseAclGroups } from '../../src/dovecot/notation.js';
import { groupName } from '../support/names.js';

const names = fc.uniqueArray(groupName, { maxLength: 20 });
const version = fc.constantFrom('2.3', '2.4');

describe('formatAclGroups', () => {
  it.each([
    ['2.3', ['a', 'b'], 'a,b'],
    ['2.3', ['Domain Users', ' a '], 'Domain Users, a '],
    ['2.3', ['100%', '%u', '%%'], '100%%,%%u,%%%%'],
    ['2.3', ['CORP\\sales', '"q"', 'a=b/c'], 'CORP\\sales,"q",a=b/c'],
    ['2.4', ['a', 'b'], 'a,b'],
    ['2.4', ['Domain Users', ' a '], '"Domain Users"," a "'],
    ['2.4', ['100%', '%u', '%%'], '100%,%u,%%'],
    ['2.4', ['x,y', 'say "hi"'], '"x,y","say \\"hi\\""'],
    ['2.4', ['CORP\\sales'], '"CORP\\\\\\\\sales"'],
    ['2.4', ['a=b/c', ':', '-', '!x', '$x', '*', "it's"], "a=b/c,:,-,!x,$x,*,it's"],
    [undefined, ['a=b/c', ':', '-', '!x', '$x', '*', "it's"], "a=b/c,:,-,!x,$x,*,it's"],
    ['2.4', ['inline:staff', 'b', 'inline:'], '"inline:staff",b,"inline:"'],
    ['2.4', ['INLINE:a', '<b', '$SET:c', '__d'], 'INLINE:a,<b,$SET:c,__d'],
    ['2.3', ['inline:staff'], 'inline:staff'],
    ['2.3', [], ''],
  ] as const)('writes for %s the names %j as %j', (dovecot, given, value) => {
    expect(formatAclGroups(given, dovecot)).toEqual({ value, skipped: [] });
  });

  const unknown = "Dovecot 2.3 and 2.4 read its name differently, and which one is here can't be found out; set dovecot_version, or use -D";
  it.each([
    ['2.3', 'x,y', 'Dovecot 2.3 takes a comma as the end of a name; rename it in [groups] or at its source'],
    [undefined, 'x,y', unknown],
    [undefined, 'Domain Users', unknown],
    [undefined, '100%', unknown],
    [undefined, 'CORP\\sales', unknown],
    [undefined, '"q"', unknown],
    [undefined, 'inline:staff', unknown],
    ['2.3', '', 'it has no name'],
    ['2.4', '', 'it has no name'],
    ['2.4', 'a\tb', 'its name holds control characters'],
    ['2.3', 'a\nb', 'its name holds control characters'],
    [undefined, 'a\u0000b', 'its name holds control characters'],
    ['2.4', 'a\u009bb', 'its name holds control characters'],
    ['2.4', 'caf\uFFFD', 'its name is not valid UTF-8'],
    ['2.3', 'half \ud83d', 'its name is not valid UTF-8'],
  ] as const)('for %s leaves out %j and says why', (dovecot, name, reason) => {
    expect(formatAclGroups(['a', name, 'b'], dovecot)).toEqual({ value: 'a,b', skipped: [{ name, reason }] });
  });
});

describe('isPlain', () => {
  it('is true exactly for names that every version is written in the same way', () => {
    fc.assert(
      fc.property(groupName, (name) => {
        const [old, current] = [formatAclGroups([name], '2.3'), formatAclGroups([name], '2.4')];
        expect(isPlain(name)).toBe(old.value === name && current.value === name);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('parseAclGroups', () => {
  it('reads back what was written', () => {
    fc.assert(
      fc.property(names, version, (given, dovecot) => {
        const { value, skipped } = formatAclGroups(given, dovecot);
        const left = new Set(skipped.map(({ name }) => name));
        expect(parseAclGroups(value, dovecot)).toEqual(given.filter((name) => !left.has(name)));
        expect([...left]).toEqual(dovecot === '2.3' ? given.filter((name) => name.includes(',')) : []);
      }),
      { numRuns: 3000 },
    );
  });

  it('reads without a version what is the same in all, and nothing else', () => {
    fc.assert(
      fc.property(names, (given) => {
        const { value } = formatAclGroups(given, undefined);
        expect(parseAclGroups(value, undefined)).toEqual(given.filter(isPlain));
        expect(parseAclGroups(value, '2.3')).toEqual(given.filter(isPlain));
        expect(parseAclGroups(value, '2.4')).toEqual(given.filter(isPlain));
      }),
    );
    expect(parseAclGroups('"a,b,c"', undefined)).toEqual([]);
    expect(parseAclGroups('inline:a', undefined)).toEqual([]);
    // Nothing but the start of the whole value has a meaning to 2.4, and a comma is no part of that.
    expect(parseAclGroups('inline,:', undefined)).toEqual(['inline', ':']);
    expect(parseAclGroups(',inline:a', undefined)).toEqual(['inline:a']);
  });

  it.each([
    ['2.3', 'a,,b,', ['a', 'b']],
    ['2.3', ' a, b', [' a', ' b']],
    ['2.3', 'a,%u,b%%,%%%u', ['a', 'b%']],
    ['2.3', '%{if;%u;==;x;a,b},c', []],
    ['2.4', 'a b, c,,d', ['a', 'b', 'c', 'd']],
    ['2.4', '"a b",""," "', ['a b', '', ' ']],
    ['2.4', 'a\\sb c\\ed \\\\x "e\\\\sf" \\q x\\ a\\_b\\+c\\.', ['a/b', 'c=d', '\\x', 'e/f', '\\q', 'x\\', 'a b,c']],
    ['2.4', '"a\\"b" "a\\b"', ['a"b', 'ab']],
    ['2.4', 'a"b', []],
    ['2.4', 'a,"b', []],
    ['2.4', '"a"b', []],
    ['2.4', '"a\\', []],
    ['2.4', 'inline:a,inline:b', ['\na', 'inline:b']],
    ['2.4', '"inline:a"', ['inline:a']],
    ['2.4', '', []],
  ] as const)('reads as %s the value %j as %j', (dovecot, value, expected) => {
    expect(parseAclGroups(value, dovecot)).toEqual(expected);
  });
});

describe('appendAclGroups', () => {
  it('keeps what was there to the byte', () => {
    expect(appendAclGroups('"x y" %u', 'b', '2.3')).toBe('"x y" %u,b');
    expect(appendAclGroups('', 'b', undefined)).toBe('b');
    expect(appendAclGroups('"x', '', '2.4')).toBe('"x');
    expect(appendAclGroups('50%', 'b', '2.4')).toBe('50%,b');
  });

  it.each(['50%', '%', '%%%', 'a,50%-5.3', '50%LU', '%u%', '%{user}%', '%5Lu%'])(
    'makes nothing of the unfinished variable in %s',
    (value) => {
      expect(appendAclGroups(value, 'b', '2.3')).toBe(`${value}{env:ACL_GROUPS_NOTHING},b`);
    },
  );

  it.each(['50%%', '%u', '%5Lu', '%L%', '%{user}', '%{user', '50%H', 'L', '%%LU'])('lets a comma follow %s', (value) => {
    expect(appendAclGroups(value, 'b', '2.3')).toBe(`${value},b`);
  });

  it('adds names behind those that were there', () => {
    fc.assert(
      fc.property(names, names, version, (before, after, dovecot) => {
        const [first, second] = [formatAclGroups(before, dovecot).value, formatAclGroups(after, dovecot).value];
        const whole = parseAclGroups(appendAclGroups(first, second, dovecot), dovecot);
        expect(whole).toEqual([...parseAclGroups(first, dovecot), ...parseAclGroups(second, dovecot)]);
      }),
    );
  });
});
