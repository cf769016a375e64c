import { describe, expect, it } from 'vitest';
import type { GroupsConfig } from '../../src/config/load.js';
import type { VersionFound } from '../../src/dovecot/version.js';
import { answerLogin, logAnswer } from '../../src/login/answer.js';
import { loginRequest } from '../../src/login/request.js';
import type { Resolution, SourcedGroup } from '../../src/login/resolve.js';
import { createLogger } from '../../src/support/log.js';

interface Case {
  readonly names?: readonly string[];
  /** Groups with more than a name. */
  readonly sourced?: readonly SourcedGroup[];
  readonly on_error?: 'deny' | 'continue';
  readonly on_incomplete?: 'warn' | 'deny';
  readonly existing?: string;
  /** What the userdb gave in other spellings. */
  readonly others?: readonly { readonly key: string; readonly value: string }[];
  readonly version?: '2.3' | '2.4' | undefined;
  readonly groups?: Partial<GroupsConfig>;
  /** How the providers unix and ldap answered. */
  readonly outcomes?: readonly ['found' | 'unknown-user' | 'error', 'found' | 'unknown-user' | 'error'];
}

async function answer(given: Case) {
  const { names = [], sourced = [], existing = '', others = [], version, groups = {}, outcomes = ['found', 'found'], ...rules } = given;
  let asked = 0;
  const request = loginRequest({ name: 'alice', fields: new Map([['acl_groups', existing]]), otherSpellings: others }, 'full');
  const resolution: Resolution = {
    groups: [...names.map((name) => ({ name, provider: 'unix' })), ...sourced],
    reports: outcomes.map((outcome, index) => ({ name: ['unix', 'ldap'][index] ?? '', outcome, elapsed_ms: 1 })),
  };
  const found: VersionFound | undefined = version && { version, source: '-D', text: version };
  const config = {
    on_error: 'deny',
    on_incomplete: 'warn',
    ...rules,
    groups: { include: [], exclude: [], rename: new Map(), add: [], case: 'keep', ...groups },
  } as const;
  const result = await answerLogin(request, resolution, config, async () => {
    asked++;
    return found;
  });
  return { ...result, asked };
}

describe('answerLogin', () => {
  it('asks for the version only when a name reads differently', async () => {
    expect(await answer({ names: ['staff', 'a=b/c', "it's"] })).toMatchObject({ value: "staff,a=b/c,it's", asked: 0, dovecot: undefined });
    expect(await answer({ names: ['staff', 'Domain Users'], version: '2.4' })).toMatchObject({ value: 'staff,"Domain Users"', asked: 1 });
  });

  it('without a version leaves out what reads differently', async () => {
    const { value, skipped } = await answer({ names: ['staff', 'Domain Users', 'x'] });
    expect(value).toBe('staff,x');
    expect(skipped).toMatchObject([{ name: 'Domain Users', provider: 'unix', wanted: false }]);
  });

  it("puts the userdb's groups first and drops what they have already", async () => {
    const result = await answer({ names: ['staff', 'x y', 'wheel'], existing: 'acct,"x y" wheel', version: '2.4' });
    expect(result.value).toBe('acct,"x y" wheel,staff');
    expect(result.groups.map(({ name, provider }) => `${provider}: ${name}`)).toEqual([
      'userdb: acct',
      'userdb: x y',
      'userdb: wheel',
      'unix: staff',
    ]);
  });

  it.each([
    ['2.3', 'a b,%u,"c', 'a b,%u,"c,staff,100%%'],
    ['2.4', '"a b" %u "c\\\\\\\\d"', '"a b" %u "c\\\\\\\\d",staff,100%'],
    [undefined, '"a b",%u', '"a b",%u,staff'],
    [undefined, '', 'staff'],
  ] as const)('for %s keeps what the userdb gave, %j, to the byte', async (version, existing, value) => {
    expect((await answer({ names: ['staff', '100%'], existing, version })).value).toBe(value);
  });

  it('makes one list of what the userdb gave in several spellings', async () => {
    const others = [
      { key: 'acl_groups/new', value: 'yes' },
      { key: 'plugin/acl_groups', value: 'old' },
    ];
    const given = { names: ['staff', 'new', 'old'], existing: 'a', others };
    const current = await answer({ ...given, version: '2.4' });
    expect(current).toMatchObject({ value: 'a,new,staff,old', existing: 'a,new' });
    expect(current.groups.map(({ name, provider }) => `${provider}: ${name}`)).toEqual([
      'userdb: a',
      'userdb: new',
      'unix: staff',
      'unix: old',
    ]);
    expect(await answer({ ...given, version: '2.3' })).toMatchObject({ value: 'a,old,staff,new' });
    await expect(answer(given)).rejects.toThrow(
      "the userdb's field acl_groups/new gives groups in some versions of Dovecot, and which one is here can't be found out; set dovecot_version, or use -D",
    );
  });

  it('asks for the version when a plain name may be among quoted ones already', async () => {
    expect(await answer({ names: ['staff'], existing: '"a b","staff"', version: '2.4' })).toMatchObject({
      value: '"a b","staff"',
      asked: 1,
    });
    expect(await answer({ names: ['wheel'], existing: '"a b","staff"', version: '2.4' })).toMatchObject({
      value: '"a b","staff",wheel',
      asked: 0,
    });
    expect(await answer({ names: ['b', 'c'], existing: '"a,b,c"' })).toMatchObject({ value: '"a,b,c",b,c', asked: 1 });
    expect(await answer({ names: ['b', 'c'], existing: 'a,b' })).toMatchObject({ value: 'a,b,c', asked: 0 });
  });

  it('warns of names that could not be written, not of those that nobody wants', async () => {
    const lines: string[] = [];
    const log = createLogger((level, message) => lines.push(`${level}: ${message}`));
    logAnswer('alice', await answer({ names: ['a', 'x,y', 'tab\there'], version: '2.3', groups: { exclude: ['a'] } }), log);
    expect(lines).toEqual([
      'debug: alice: group "a" of provider unix skipped: [groups] exclude has "a"',
      'warning: alice: group "x,y" of provider unix skipped: Dovecot 2.3 takes a comma as the end of a name; rename it in [groups] or at its source',
      'warning: alice: group "tab\\u{9}here" of provider unix skipped: its name holds control characters',
    ]);
  });
});

describe('a user whom no provider knows', () => {
  const unknown = ['unknown-user', 'unknown-user'] as const;
  it('is told apart from one without groups, and given nothing', async () => {
    expect(await answer({ outcomes: unknown, existing: 'a,b', groups: { add: ['everybody'] } })).toMatchObject({
      verdict: 'unknown',
      value: 'a,b',
      added: [],
    });
    expect(await answer({ outcomes: ['unknown-user', 'found'] })).toMatchObject({ verdict: 'grant', value: '' });
  });

  it('may be known to a provider that failed', async () => {
    const outcomes = ['unknown-user', 'error'] as const;
    expect(await answer({ outcomes })).toMatchObject({ verdict: 'deny' });
    const going = await answer({ outcomes, on_error: 'continue', groups: { add: ['everybody'] } });
    expect(going).toMatchObject({ verdict: 'grant', value: '', groups: [] });
  });
});

describe('groups of [groups] add', () => {
  it("stand behind the providers', written for this Dovecot, each once", async () => {
    const result = await answer({ names: ['staff'], existing: 'old', groups: { add: ['All Users', 'staff', 'old'] }, version: '2.4' });
    expect(result.value).toBe('old,staff,"All Users"');
    expect(result.groups.map(({ name, provider }) => `${provider}: ${name}`)).toEqual(['userdb: old', 'unix: staff', 'config: All Users']);
  });

  it('that this Dovecot cannot be told are skipped like any others', async () => {
    const { skipped } = await answer({ groups: { add: ['a,b'] }, version: '2.3' });
    expect(skipped).toMatchObject([{ name: 'a,b', provider: 'config', wanted: false }]);
  });
});

describe('an incomplete answer', () => {
  const lost: SourcedGroup = { name: 'cn=lost,dc=x', provider: 'ldap', skip: 'memberOf names it', incomplete: true };
  const sales: SourcedGroup = { name: 'sales', provider: 'ldap' };
  const logged = (result: Awaited<ReturnType<typeof answer>>): readonly string[] => {
    const lines: string[] = [];
    logAnswer(
      'alice',
      result,
      createLogger((level, message) => lines.push(`${level}: ${message}`)),
    );
    return lines;
  };

  it('passes on the rest with a warning', async () => {
    const result = await answer({ names: ['staff'], sourced: [lost, sales] });
    expect(result).toMatchObject({ verdict: 'grant', value: 'staff,sales' });
    expect(result.skipped).toEqual([
      { name: 'cn=lost,dc=x', provider: 'ldap', reason: 'memberOf names it', wanted: false, incomplete: true },
    ]);
    expect(logged(result)).toEqual(['warning: alice: group "cn=lost,dc=x" of provider ldap skipped: memberOf names it']);
  });

  it('is a failure of its provider with on_incomplete = "deny"', async () => {
    const result = await answer({ names: ['staff'], sourced: [lost, sales, { ...lost, name: 'cn=more,dc=x' }], on_incomplete: 'deny' });
    expect(result).toMatchObject({ verdict: 'deny', value: 'staff' });
    expect(logged(result)[0]).toBe(
      'error: alice: provider ldap failed: group "cn=lost,dc=x": memberOf names it; and 1 more (on_incomplete = "deny"); login denied (on_error = "deny")',
    );
  });

  it('that its provider has warned of itself is a failure too, and no warning of ours', async () => {
    const warned = { ...lost, wanted: true };
    expect(logged(await answer({ names: ['staff'], sourced: [warned] }))).toEqual([
      'debug: alice: group "cn=lost,dc=x" of provider ldap skipped: memberOf names it',
    ]);
    expect(await answer({ names: ['staff'], sourced: [warned], on_incomplete: 'deny' })).toMatchObject({ verdict: 'deny' });
  });

  it('is a failure that on_error decides about', async () => {
    const result = await answer({ names: ['staff'], sourced: [lost, sales], on_incomplete: 'deny', on_error: 'continue' });
    expect(result).toMatchObject({ verdict: 'grant', value: 'staff' });
  });

  it('takes away no group that another provider gives as well', async () => {
    const result = await answer({
      sourced: [{ name: 'both', provider: 'ldap' }, lost, { name: 'both', provider: 'unix' }],
      on_incomplete: 'deny',
      on_error: 'continue',
    });
    expect(result.value).toBe('both');
  });

  it('is none for a group that is only skipped, or that exclude names', async () => {
    const skipped = await answer({ sourced: [{ name: '4711', provider: 'unix', skip: 'no name' }], on_incomplete: 'deny' });
    const excluded = await answer({ sourced: [lost], groups: { exclude: ['cn=lost,*'] }, on_incomplete: 'deny' });
    expect([skipped.verdict, excluded.verdict]).toEqual(['grant', 'grant']);
  });

  it('stays one when include matches nothing of what stands for the group', async () => {
    const result = await answer({ sourced: [lost], groups: { include: ['mail-*'] }, on_incomplete: 'deny' });
    expect(result.verdict).toBe('deny');
  });

  it('warns beside a group that is granted', async () => {
    const result = await answer({ sourced: [{ ...sales, warning: 'two entries have this name' }] });
    expect(result.value).toBe('sales');
    expect(logged(result)).toEqual(['warning: alice: group "sales" of provider ldap: two entries have this name']);
  });
});
