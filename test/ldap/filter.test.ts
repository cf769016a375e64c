import fc from 'fast-check';
import { BerWriter, type Filter } from 'ldapts';
import { describe, expect, it } from 'vitest';
import { type FilterTemplate, parseFilter } from '../../src/ldap/filter.js';
import { ConfigError } from '../../src/support/errors.js';

const parse = (text: string, ...allowed: string[]): FilterTemplate => parseFilter(text, allowed, 'user_filter');

/** What goes to the server. */
function bytes(filter: Filter | undefined): Buffer {
  const writer = new BerWriter();
  filter?.write(writer);
  return writer.buffer;
}

describe('parseFilter', () => {
  it.each([
    '(uid=alice)',
    '(&(objectClass=person)(|(uid=a)(mail=a@b)))',
    '(!(uid=x))',
    '(cn=*)',
    '(cn=a*b*c)',
    '(cn=*b*)',
    '(uidNumber>=5)',
    '(uidNumber<=5)',
    '(cn~=a)',
    '(member:1.2.840.113556.1.4.1941:=cn=x)',
    '(cn:dn:caseExactMatch:=Smith)',
    '(:caseExactMatch:=Smith)',
  ])('reads %s', (text) => {
    expect(String(parse(text).fill({})).replace(/\(:caseExact/, '(:caseExact')).toBe(text);
  });

  it('allows blanks and ends of lines between filters, and keeps those in values', () => {
    expect(String(parse(' (& (a=b)\n  (! (c= d )) ) ').fill({}))).toBe('(&(a=b)(!(c= d )))');
  });

  it('reads escapes as bytes, so that UTF-8 written in hex stays UTF-8', () => {
    expect(bytes(parse('(cn=M\\c3\\bcller)').fill({}))).toEqual(bytes(parse('(cn=Müller)').fill({})));
    expect(bytes(parse('(objectGUID=\\ff\\00)').fill({})).subarray(-2)).toEqual(Buffer.from([0xff, 0]));
  });

  it('reads a placeholder that is written in hex as a text', () => {
    const { fill, placeholders } = parse('(cn=\\7buser\\7d*{user})', 'user');
    expect(placeholders).toEqual(new Set(['user']));
    expect(fill({ user: ['a*'] })).toMatchObject({ initial: '{user}', final: 'a*' });
  });

  it.each([
    ['', 'Filter cannot be empty'],
    ['(uid=x', 'as many opening as closing parentheses are needed'],
    ['(&(uid=x)', 'as many opening as closing parentheses are needed'],
    ['(!(uid=x)y', 'as many opening as closing parentheses are needed'],
    ['(uid=x))', 'as many opening as closing parentheses are needed'],
    ['(uid=x)(uid=y)', 'Unbalanced parens'],
    ['(&)', 'Missing paren'],
    ['(=x)', 'Invalid attribute name'],
    ['(u id=x)', 'Invalid expression'],
    ['(uid=a(b))', 'Illegal unescaped character: ('],
    ['(uid={user)', 'unknown placeholder {'],
    ['(uid=\\zz)', 'Invalid escaped hex character: zz'],
    ['(uid={name})', 'unknown placeholder {name} (allowed here: {user}'],
    ['(uid=\\ff{user})', "bytes that aren't UTF-8 can only be compared by =, without placeholders"],
    ['(cn=\\ff*)', "bytes that aren't UTF-8 can only be compared by =, without placeholders"],
  ])('refuses %s', (text, reason) => {
    expect(() => parse(text, 'user')).toThrow(ConfigError);
    expect(() => parse(text, 'user')).toThrow(reason);
    expect(() => parse(text, 'user')).toThrow(/^user_filter: /);
  });

  it('puts any text into the one value that it belongs to', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (user) => {
        const filter = parse('(&(objectClass=person)(uid={user}))', 'user').fill({ user: [user] });
        const expected = Buffer.from(user);
        const all = bytes(filter);
        expect(all.subarray(all.length - expected.length)).toEqual(expected);
        // The tree is the same whatever the text holds: an AND of two comparisons.
        expect(filter).toMatchObject({ filters: [{ attribute: 'objectClass' }, { attribute: 'uid', value: user }] });
      }),
    );
  });

  it('fills several values into one place', () => {
    const template = parse('(&(objectClass=g)(member={dn}))', 'dn');
    expect(String(template.fillAny('dn', ['a', 'b']))).toBe('(&(objectClass=g)(|(member=a)(member=b)))');
  });

  it('repeats the filter for several values, where one place is not enough', () => {
    expect(String(parse('(&(member={dn})(owner={dn}))', 'dn').fillAny('dn', ['a', 'b']))).toBe(
      '(|(&(member=a)(owner=a))(&(member=b)(owner=b)))',
    );
    expect(String(parse('(!(member={dn}))', 'dn').fillAny('dn', ['a', 'b']))).toBe('(|(!(member=a))(!(member=b)))');
  });

  it('leaves out what cannot match for want of a value', () => {
    const template = parse('(|(member={dn})(&(objectClass=posixGroup)(memberUid={uid})))', 'dn', 'uid');
    expect(String(template.fill({ dn: ['d'], uid: ['u'] }))).toBe('(|(member=d)(&(objectClass=posixGroup)(memberUid=u)))');
    expect(String(template.fillAny('dn', ['d']))).toBe('(member=d)');
    expect(template.fill({})).toBeUndefined();
    expect(String(parse('(&(a=b)(!(uid={uid})))', 'uid').fill({}))).toBe('(a=b)');
    expect(String(parse('(!(uid={uid}))', 'uid').fill({}))).toBe('(objectClass=*)');
  });

  it('tells what it depends on', () => {
    const template = parse('(&(a={dn})(member:1.2.840.113556.1.4.1941:={uid}))', 'dn', 'uid');
    expect(template).toMatchObject({ placeholders: new Set(['dn', 'uid']), attributes: ['a', 'member'], usesChainRule: true });
  });
});
