import { toUSVString } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ancestors, escapeDnValue, namingValue } from '../../src/ldap/dn.js';

describe('escapeDnValue', () => {
  it('makes one value of any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const dn = `cn=${escapeDnValue(value)},dc=x`;
        expect(namingValue(dn, 'CN')).toBe(toUSVString(value));
        expect(ancestors(dn)).toEqual(['dc=x']);
      }),
    );
  });
});

describe('ancestors', () => {
  it.each([
    ['cn=a,ou=b,dc=x', ['ou=b,dc=x', 'dc=x']],
    ['cn=a\\,ou=b,dc=x', ['dc=x']],
    ['cn=a\\\\,ou=b', ['ou=b']],
    ['cn=a\\2Cb,ou=b', ['ou=b']],
    ['dc=x', []],
    ['', []],
  ])('of %s are %j', (dn, above) => {
    expect(ancestors(dn)).toEqual(above);
  });
});

describe('namingValue', () => {
  it('is the value that an entry is named by, byte for byte', () => {
    expect(namingValue('CN=Staff\\2C  West,dc=x', 'cn')).toBe('Staff,  West');
    expect(namingValue('cn=M\\C3\\BCller,dc=x', 'cn')).toBe('Müller');
    expect(namingValue('ou=x+CN=a\\+b+l=y,dc=x', 'cn')).toBe('a+b');
    expect(namingValue('ou=x', 'cn')).toBeUndefined();
    expect(namingValue('', 'cn')).toBeUndefined();
  });
});
