import type { Entry as LdaptsEntry } from 'ldapts';
import { describe, expect, it } from 'vitest';
import { Entry } from '../../src/ldap/entry.js';

/** An entry with attributes in the forms that ldapts gives them. */
const entry = (attributes: Readonly<Record<string, unknown>>): Entry => new Entry({ dn: 'cn=x', ...attributes } as LdaptsEntry);

describe('Entry', () => {
  it('makes a list of no value, one, and several', () => {
    const texts = (value: unknown): readonly string[] => entry({ cn: value }).texts('cn');
    expect(texts([])).toEqual([]);
    expect(texts('one')).toEqual(['one']);
    expect(texts('')).toEqual(['']);
    expect(texts(['one', 'two'])).toEqual(['one', 'two']);
    expect(texts(Buffer.from('one'))).toEqual(['one']);
    expect(entry({}).texts('cn')).toEqual([]);
  });

  it('finds an attribute however it is spelled', () => {
    expect(entry({ memberOf: 'a' }).texts('MEMBEROF')).toEqual(['a']);
    expect(entry({ MEMBEROF: 'a' }).texts('memberOf')).toEqual(['a']);
  });

  it('knows no attribute of what every object has, nor the DN as one', () => {
    for (const name of ['constructor', '__proto__', 'toString', 'dn']) expect(entry({}).texts(name)).toEqual([]);
  });

  it('leaves out texts that are no UTF-8, and keeps a byte order mark', () => {
    const values = [Buffer.from([0xff, 0xfe]), Buffer.from('\u{feff}größe')];
    expect(entry({ cn: values }).texts('cn')).toEqual(['\u{feff}größe']);
    expect(entry({ cn: values }).bytes('cn')).toEqual(values);
    expect(entry({ cn: 'ö' }).bytes('cn')).toEqual([Buffer.from('ö')]);
  });

  it('tells which part of the values a range is', () => {
    expect(entry({ member: [], 'member;range=0-1': ['a', 'b'] }).range('Member')).toEqual({
      start: 0,
      values: [Buffer.from('a'), Buffer.from('b')],
      next: 2,
    });
    expect(entry({ 'MEMBER;Range=2-*': 'c' }).range('member')).toEqual({ start: 2, values: [Buffer.from('c')], next: undefined });
    expect(entry({ member: 'a', 'memberOf;range=0-1': ['a'] }).range('member')).toBeUndefined();
  });
});
