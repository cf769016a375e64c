import type { Entry as LdaptsEntry } from 'ldapts';
import { describe, expect, it } from 'vitest';
import { allValues, type SearchRequest } from '../../src/ldap/client.js';
import { Entry } from '../../src/ldap/entry.js';

const entry = (attributes: Readonly<Record<string, unknown>>): Entry => new Entry({ dn: 'cn=x', ...attributes } as LdaptsEntry);

/** Reads `member` of an entry, whose later portions come as they are given. */
async function read(first: Readonly<Record<string, unknown>>, ...rest: readonly Readonly<Record<string, unknown>>[]) {
  const asked: (readonly string[])[] = [];
  const left = [...rest];
  const more = async ({ attributes }: SearchRequest) => {
    asked.push(attributes);
    return { entries: left.splice(0, 1).map(entry) };
  };
  return { values: (await allValues(more, entry(first), 'member')).map(String), asked };
}

describe('allValues', () => {
  it('asks for nothing more where all came', async () => {
    expect(await read({ member: ['a', 'b'] })).toEqual({ values: ['a', 'b'], asked: [] });
    expect(await read({})).toEqual({ values: [], asked: [] });
    expect(await read({ member: [], 'member;range=0-*': ['a'] })).toEqual({ values: ['a'], asked: [] });
  });

  it('reads portions to the end', async () => {
    expect(
      await read({ member: [], 'member;range=0-1': ['a', 'b'] }, { 'member;range=2-3': ['c', 'd'] }, { 'member;range=4-*': 'e' }),
    ).toEqual({ values: ['a', 'b', 'c', 'd', 'e'], asked: [['member;range=2-*'], ['member;range=4-*']] });
  });

  it.each([
    ['gives no more', {}],
    ['gives another portion', { 'member;range=5-*': ['f'] }],
    ['gives the same again', { 'member;range=0-1': ['a', 'b'] }],
    ['goes backwards', { 'member;range=2-1': [] }],
    ['counts in words', { 'member;range=2-many': ['c'] }],
  ])('fails for a server that %s: a part of the groups is no answer', async (_, more) => {
    await expect(read({ 'member;range=0-1': ['a', 'b'] }, more)).rejects.toThrow(
      '"cn=x": the server gives the first 2 values of member, and no more',
    );
  });
});
