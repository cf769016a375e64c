import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isOtherSpelling, joinSpellings } from '../../src/dovecot/fields.js';
import { formatAclGroups, parseAclGroups } from '../../src/dovecot/notation.js';
import { groupName } from '../support/names.js';

describe('isOtherSpelling', () => {
  it.each(['acl_groups/a', 'acl_groups/', 'plugin/acl_groups', 'set/acl_groups', 'set/acl_groups/a b', 'acl_groups/a\nb'])(
    '%j is',
    (key) => {
      expect(isOtherSpelling(key)).toBe(true);
    },
  );

  it.each(['acl_groups', 'ACL_GROUPS/a', 'Plugin/acl_groups', 'acl_groups+', 'acl/acl_groups', 'acl_groups_x', 'my/acl_groups', ''])(
    '%j is not',
    (key) => {
      expect(isOtherSpelling(key)).toBe(false);
    },
  );
});

describe('joinSpellings', () => {
  const others = (...fields: readonly string[]) =>
    fields.map((field) => ({ key: field.slice(0, field.indexOf('=')), value: field.slice(field.indexOf('=') + 1) }));

  it.each([
    ['2.3', 'a,b', ['plugin/acl_groups=c,a,d'], 'a,b,c,d'],
    ['2.3', '', ['plugin/acl_groups=%u,a,,b%%,50%'], '%u,a,b%%,50%'],
    ['2.3', '%u,50%', ['plugin/acl_groups=a'], '%u,50%{env:ACL_GROUPS_NOTHING},a'],
    ['2.3', 'a', ['plugin/acl_groups=%{if;%u;==;x;a,b}'], 'a,%{if;%u;==;x;a,b}'],
    ['2.3', 'a', ['plugin/acl_groups=%u,%u'], 'a,%u'],
    ['2.3', 'a', ['acl_groups/b=yes', 'set/acl_groups=c', 'plugin/acl_groups/d=yes'], 'a'],
    ['2.4', 'a', ['acl_groups/b=yes', 'acl_groups/c=no', 'acl_groups/a=yes', 'acl_groups/d='], 'a,b'],
    ['2.4', '', ['acl_groups/Dom\\sUsers=yes', 'acl_groups/x y=yes', 'acl_groups/q/r=yes'], 'Dom/Users,"x y",r'],
    ['2.4', '"a b" c', ['set/acl_groups=c "a b",d,d', 'set/acl_groups/e=yes'], '"a b" c,d,e'],
    ['2.4', 'a', ['set/acl_groups=inline:b'], 'a,\nb'],
    ['2.4', 'a', ['set/acl_groups=b"'], 'a,b"'],
    ['2.4', '"', ['set/acl_groups="', 'acl_groups/b=yes'], '"'],
    ['2.4', 'a', ['set/acl_groups="', 'set/acl_groups="'], 'a,"'],
    ['2.4', 'inline:a', ['acl_groups/inline:b=yes'], 'inline:a,"inline:b"'],
    ['2.4', 'a', ['plugin/acl_groups=b'], 'a'],
    ['2.4', 'a', ['set/acl_groups='], 'a'],
  ] as const)('on %s makes of %j and %j the list %j', (version, value, given, list) => {
    expect(joinSpellings(value, others(...given), version)).toBe(list);
  });

  const names = fc.uniqueArray(groupName, { maxLength: 6 });
  it.each([
    ['2.3', 'plugin/acl_groups'],
    ['2.4', 'set/acl_groups'],
  ] as const)('loses nothing and gives nothing twice on %s', (version, key) => {
    fc.assert(
      fc.property(names, names, (first, second) => {
        const [value, more] = [formatAclGroups(first, version).value, formatAclGroups(second, version).value];
        const expected = new Set([...parseAclGroups(value, version), ...parseAclGroups(more, version)]);
        expect(parseAclGroups(joinSpellings(value, [{ key, value: more }], version), version)).toEqual([...expected]);
      }),
      { numRuns: 1000 },
    );
  });
});
