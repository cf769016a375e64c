import { toUSVString } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { domainOf, escapeDnValue, fold, isBelow, namingValue, normalizeDn, parseDn } from '../../../src/providers/ldap/dn.js';

describe('normalizeDn', () => {
  it.each([
    ['cn=A B,dc=x', 'CN=a  b, DC=X'],
    ['cn=a\\2Cb,dc=x', 'cn=a\\,b,dc=x'],
    ['cn="a,b",dc=x', 'cn=a\\,b,dc=x'],
    ['cn=M\\C3\\BCller', 'cn=müller'],
    ['cn=\\20a\\20,dc=x', 'cn=a,dc=x'],
    ['cn=a+uid=b,dc=x', 'uid=b+cn=a,dc=x'],
    ['cn=a;dc=x', 'cn=a,dc=x'],
    ['cn=a\\\\b', 'cn=a\\5cb'],
    ['cn=\\#x\\"y', 'cn=\\23x\\22y'],
  ])('%s is %s', (a, b) => {
    expect(normalizeDn(a)).toBe(normalizeDn(b));
  });

  it.each([
    ['cn=a,dc=x', 'cn=a,dc=y'],
    ['cn=a\\,dc=x', 'cn=a,dc=x'],
    ['cn=a\\+uid\\=b,dc=x', 'cn=a+uid=b,dc=x'],
    ['cn=ab', 'cn=a b'],
  ])('%s is not %s', (a, b) => {
    expect(normalizeDn(a)).not.toBe(normalizeDn(b));
  });

  it('takes a text that is no DN for itself', () => {
    expect(normalizeDn('No DN')).toBe('no dn');
    for (const text of ['=x', 'cn', 'cn=a,,dc=x', 'cn=a\\', 'cn="a', 'cn="a"b', 'cn=a,']) expect(parseDn(text)).toBeUndefined();
  });

  it('reads the empty DN', () => {
    expect(parseDn('')).toEqual([]);
  });
});

describe('escapeDnValue', () => {
  it('makes one value of any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const rdns = parseDn(`cn=${escapeDnValue(value)},dc=x`);
        expect(rdns).toEqual([[{ type: 'cn', value: fold(toUSVString(value)) }], [{ type: 'dc', value: 'x' }]]);
      }),
    );
  });
});

describe('isBelow', () => {
  it.each([
    ['cn=a,ou=g,dc=x', 'OU=G,DC=X', true],
    ['ou=g,dc=x', 'ou=g,dc=x', true],
    ['cn=a,ou=g2,dc=x', 'ou=g,dc=x', false],
    ['cn=a\\,ou=g,dc=x', 'ou=g,dc=x', false],
    ['dc=x', 'ou=g,dc=x', false],
    ['no dn', 'dc=x', false],
  ])('%s in %s: %s', (dn, base, answer) => {
    expect(isBelow(dn, base)).toBe(answer);
  });
});

describe('domainOf', () => {
  it.each([
    ['CN=a\\, b,OU=x,DC=AD,DC=Test', 'dc=ad,dc=test'],
    ['cn=zone,dc=not this,cn=system,dc=test', 'dc=test'],
    ['dc=ad,dc=test', 'dc=ad,dc=test'],
    ['uid=a,o=x', ''],
    ['no dn', ''],
  ])('of %s is %s', (dn, domain) => {
    expect(domainOf(dn)).toBe(domain);
  });
});

describe('namingValue', () => {
  it('is the value that an entry is named by', () => {
    expect(namingValue('gidNumber=5+CN=Staff\\2C West,dc=x', 'cn')).toBe('staff, west');
    expect(namingValue('ou=x', 'cn')).toBeUndefined();
  });
});
