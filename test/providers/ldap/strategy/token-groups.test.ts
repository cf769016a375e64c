import type { Entry as LdaptsEntry } from 'ldapts';
import { describe, expect, it } from 'vitest';
import { parseOptions } from '../../../../src/config/options.js';
import type { SearchRequest, SearchResult } from '../../../../src/ldap/client.js';
import { Entry } from '../../../../src/ldap/entry.js';
import { LdapError } from '../../../../src/ldap/errors.js';
import { Directory } from '../../../../src/providers/ldap/directory.js';
import { Found } from '../../../../src/providers/ldap/found.js';
import { OPTIONS } from '../../../../src/providers/ldap/options.js';
import { makePlan } from '../../../../src/providers/ldap/plan.js';
import { byMemberOf } from '../../../../src/providers/ldap/strategy/memberof.js';
import { bySearch } from '../../../../src/providers/ldap/strategy/search.js';
import { byTokenGroups } from '../../../../src/providers/ldap/strategy/token-groups.js';
import { createLogger } from '../../../../src/support/log.js';

const DOMAIN = 'dc=ad,dc=test';
const BASE = `ou=groups,${DOMAIN}`;
const sid = (id: number): Buffer => Buffer.from([1, 1, 0, 0, 0, 0, 0, 5, id, 0, 0, 0]);
const entry = (dn: string, attributes: Readonly<Record<string, unknown>>): Entry => new Entry({ dn, ...attributes } as LdaptsEntry);
const DN = `cn=anna,ou=people,${DOMAIN}`;
const ANNA = entry(DN, { objectSid: sid(1), primaryGroupID: '2' });

/** The groups of a user whose tokenGroups has the numbers 2 to 5, in a domain that has such entries. */
async function groupsIn(
  entries: readonly Entry[],
  {
    fail,
    user = ANNA,
    options,
  }: { fail?: (request: SearchRequest) => void; user?: Entry; options?: Readonly<Record<string, unknown>> } = {},
) {
  const searches: string[] = [];
  const table = { preset: 'ad', uris: ['ldaps://x'], user_base: DOMAIN, group_base: BASE, ...options };
  const plan = makePlan(parseOptions(OPTIONS, table, 'test'), '/');
  const answer = async (request: SearchRequest): Promise<readonly Entry[]> => {
    fail?.(request);
    if (request.base === '') return [entry('', { supportedCapabilities: '1.2.840.113556.1.4.800', defaultNamingContext: DOMAIN })];
    if (request.attributes.includes('tokenGroups')) return [entry(user.dn, { tokenGroups: [2, 3, 4, 5].map(sid) })];
    // A look at what there is: something.
    if (request.atMost === 1) return [entry(`cn=some,${request.base}`, { memberOf: 'cn=x' })];
    const attribute = request.attributes.includes('sIDHistory') ? 'sIDHistory' : 'objectSid';
    searches.push(`${attribute} in ${request.base}`);
    return entries.filter(({ dn }) => dn.endsWith(request.base));
  };
  const search = async (request: SearchRequest): Promise<SearchResult> => ({ entries: await answer(request), references: [] });
  const log = createLogger(() => {});
  const found = new Found(plan.maxGroups, user.dn);
  const strategies = { search: bySearch, memberof: byMemberOf, token_groups: byTokenGroups };
  await strategies[plan.strategy]({
    plan,
    user,
    userBase: DOMAIN,
    search,
    directory: new Directory(search, log),
    found,
    log,
  });
  const groups = found.list(plan.group);
  return { groups: groups.map(({ name, skip }) => (skip === undefined ? name : `${name}: ${skip}`)), searches };
}

const group = (name: string, where: string, id: number, attribute = 'objectSid'): Entry =>
  entry(`cn=${name},${where}`, { objectClass: 'group', groupType: '-2147483646', sAMAccountName: name, [attribute]: sid(id) });
const named = [group('two', BASE, 2), group('three', BASE, 3)];

describe('groups that tokenGroups names', () => {
  it('are found below group_base in one search', async () => {
    const { groups, searches } = await groupsIn([...named, group('four', BASE, 4), group('five', BASE, 5)]);
    expect(groups).toEqual(['two', 'three', 'four', 'five']);
    expect(searches).toEqual([`objectSid in ${BASE}`]);
  });

  it('are left out in silence elsewhere in the domain, and under a number that they had before they were moved', async () => {
    const { groups, searches } = await groupsIn([...named, group('four', DOMAIN, 4), group('moved', DOMAIN, 5, 'sIDHistory')]);
    expect(groups).toEqual(['two', 'three']);
    expect(searches).toEqual([`objectSid in ${BASE}`, `objectSid in ${DOMAIN}`, `sIDHistory in ${DOMAIN}`]);
  });

  it('are reported where there is no entry, or no answer about it', async () => {
    const missing = (id: number): string =>
      `S-1-5-${id}: tokenGroups names it, but its entry is not there, or may not be read by this bind`;
    expect((await groupsIn([...named, group('four', DOMAIN, 4)])).groups).toEqual(['two', 'three', missing(5)]);
    const refuse = ({ base }: SearchRequest): void => {
      if (base === DOMAIN) throw new LdapError('refused', 'deny', { code: 50 });
    };
    expect((await groupsIn([...named, group('four', DOMAIN, 4)], { fail: refuse })).groups).toEqual([
      'two',
      'three',
      missing(4),
      missing(5),
    ]);
  });
});

describe('a user whose primary group can not be found out', () => {
  const user = entry(DN, { objectSid: sid(1) });

  it('has it in tokenGroups', async () => {
    const all = [...named, group('four', BASE, 4), group('five', BASE, 5)];
    expect((await groupsIn(all, { user })).groups).toEqual(['two', 'three', 'four', 'five']);
    await expect(groupsIn(all, { user, options: { primary_group: false } })).rejects.toThrow(
      `"${DN}": objectSid or primaryGroupID of the user is not there, or may not be read by this bind, which primary_group = false needs`,
    );
  });

  it.each(['search', 'memberof'])('is reported by %s, unless nobody wants it', async (group_strategy) => {
    const reason =
      'objectSid or primaryGroupID of the user is not there, or may not be read by this bind; to ignore primary groups, set primary_group = false';
    expect((await groupsIn([], { user, options: { group_strategy } })).groups).toEqual([`primary group: ${reason}`]);
    expect((await groupsIn([], { user, options: { group_strategy, primary_group: false } })).groups).toEqual([]);
  });
});
