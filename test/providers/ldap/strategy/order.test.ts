import type { Entry as LdaptsEntry } from 'ldapts';
import { describe, expect, it } from 'vitest';
import { parseOptions } from '../../../../src/config/options.js';
import type { SearchRequest, SearchResult } from '../../../../src/ldap/client.js';
import { Entry } from '../../../../src/ldap/entry.js';
import { LdapError, RESULT } from '../../../../src/ldap/errors.js';
import { Directory } from '../../../../src/providers/ldap/directory.js';
import { Found } from '../../../../src/providers/ldap/found.js';
import { OPTIONS } from '../../../../src/providers/ldap/options.js';
import { makePlan } from '../../../../src/providers/ldap/plan.js';
import { byMemberOf } from '../../../../src/providers/ldap/strategy/memberof.js';
import { bySearch } from '../../../../src/providers/ldap/strategy/search.js';
import { byTokenGroups } from '../../../../src/providers/ldap/strategy/token-groups.js';
import { createLogger } from '../../../../src/support/log.js';

const BASE = 'ou=groups,dc=x';
const DN = 'uid=anna,dc=x';
const COUNT = 250;
const numbers = Array.from({ length: COUNT }, (_, index) => index + 1);
const dnOf = (number: number): string => `cn=g${number},${BASE}`;
const sidOf = (number: number): Buffer => Buffer.from([1, 1, 0, 0, 0, 0, 0, 5, number, 0, 0, 0]);
const entry = (dn: string, attributes: Readonly<Record<string, unknown>> = {}): Entry => new Entry({ dn, ...attributes } as LdaptsEntry);

/** What a filter asks for: the numbers of groups that it names, by DN or by SID. */
function asked(filter: string): readonly number[] {
  return numbers.filter((number) => filter.includes(`cn=g${number},`) || filter.includes(sidOf(number).toString('latin1')));
}

/** A directory that has no entry of each tenth group, and a part of each answer elsewhere. */
function answer({ base, scope, filter, attributes, atMost }: SearchRequest): SearchResult {
  const ad = attributes.includes('supportedCapabilities');
  if (ad) return { entries: [entry('')], references: [] };
  if (attributes.includes('tokenGroups')) return { entries: [entry(DN, { tokenGroups: numbers.map(sidOf) })], references: [] };
  const text = String(filter);
  if (scope === 'base' && base !== BASE) {
    if (atMost === undefined && /g\d*0,/.test(base)) throw new LdapError('gone', 'deny', { code: RESULT.noSuchObject });
    return { entries: [entry(base)], references: [] };
  }
  if (atMost !== undefined || scope === 'base') return { entries: /cn=g\d/.test(text) ? [] : [entry(base)], references: [] };
  if (attributes.includes('1.1') || text.includes('sIDHistory') || base !== BASE) return { entries: [], references: [] };
  const there = asked(text).filter((number) => number % 10 !== 0);
  const entries = there.map((number) => entry(dnOf(number), { cn: `g${number}`, sAMAccountName: `g${number}`, objectSid: sidOf(number) }));
  // Of the user's primary group, or of a batch.
  return { entries, references: [`ldap://elsewhere/${there[0] ?? 'primary'}`] };
}

/** Answers as they are asked for, or of those that wait the last one first. */
function inOrder(lastFirst: boolean): (request: SearchRequest) => Promise<SearchResult> {
  const waiting: (() => void)[] = [];
  const next = (): void => {
    (lastFirst ? waiting.pop() : waiting.shift())?.();
    if (waiting.length > 0) setImmediate(next);
  };
  return (request) =>
    new Promise((resolve) => {
      waiting.push(() => resolve(new Promise((done) => done(answer(request)))));
      if (waiting.length === 1) setImmediate(next);
    });
}

const STRATEGIES = { search: bySearch, memberof: byMemberOf, token_groups: byTokenGroups };

async function groupsOf(group_strategy: keyof typeof STRATEGIES, lastFirst: boolean): Promise<readonly string[]> {
  const filter = group_strategy === 'search' ? '(member={dn})' : '';
  const table = { uris: ['ldaps://x'], user_base: 'dc=x', group_base: BASE, group_strategy, group_filter: filter };
  const plan = makePlan(parseOptions(OPTIONS, table, 'test'), '/');
  const log = createLogger(() => {});
  const search = inOrder(lastFirst);
  const found = new Found(plan.maxGroups, DN);
  const user = entry(DN, { uid: 'anna', gidNumber: '4711', memberOf: numbers.map(dnOf), objectSid: sidOf(0), primaryGroupID: '1' });
  const directory = new Directory(search, log);
  await STRATEGIES[group_strategy]({ plan, user, userBase: 'dc=x', search, directory, found, log });
  return found.list(plan.group).map(({ name, skip }) => (skip === undefined ? name : `${name}: ${skip}`));
}

describe('the order of groups, lost ones too', () => {
  it.each(['search', 'memberof', 'token_groups'] as const)(
    'is that of the questions, by whatever order they are answered in (%s)',
    async (strategy) => {
      const groups = await groupsOf(strategy, false);
      expect(groups.some((group) => group.includes('on another server'))).toBe(true);
      expect(await groupsOf(strategy, true)).toEqual(groups);
    },
  );

  it('is the same for what is asked one by one', async () => {
    const lost = (await groupsOf('memberof', true)).filter((group) => group.startsWith('cn=') || group.includes(' more:'));
    const named = numbers.filter((number) => number % 10 === 0).slice(0, 20);
    expect(lost).toEqual([
      ...named.map((number) => `${dnOf(number)}: memberOf names it, but its entry is not there, or may not be read by this bind`),
      `5 more: memberOf names so many entries more that are not below group_base "${BASE}", or may not be read by this bind`,
    ]);
  });
});
