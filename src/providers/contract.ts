/**
 * What every provider has to do, as tests that need no particular test runner: give each of {@link contractCases} to yours.
 *
 *     for (const { name, run } of contractCases(setup)) test(name, run);
 * @module
 */
import assert from 'node:assert/strict';
import { setMaxListeners } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import type { Group, GroupProvider, LoginUser } from './provider.js';

/** One test: it passes when `run` resolves. */
export interface ContractCase {
  readonly name: string;
  readonly run: () => Promise<void>;
}

/** How the tests get at a provider and what it should say. */
export interface ContractSetup {
  /** Makes a provider whose source answers. Called anew for each test; its `close` is called after it. */
  open(): GroupProvider | Promise<GroupProvider>;
  /**
   * Users that the source knows, with the names of all groups that each is to be granted, in any order. The tests are worth most
   * with a user without groups, and one in groups with {@link AWKWARD_NAMES}, as far as the source can hold such names.
   */
  readonly users: readonly { readonly user: LoginUser; readonly groups: readonly string[] }[];
  /** A user that the source doesn't know. */
  readonly stranger: LoginUser;
  /** Makes a provider whose source fails: a file that can't be read, a server that isn't there. */
  openBroken(): GroupProvider | Promise<GroupProvider>;
  /** Makes a provider whose source never answers; left out where the source can't keep anybody waiting. */
  readonly openHanging?: (() => GroupProvider | Promise<GroupProvider>) | undefined;
  /** What a test waits for that should come at once, in milliseconds: 5000 unless given. */
  readonly patience?: number | undefined;
}

/** Names that have come out of others' hands as other names. */
export const AWKWARD_NAMES: readonly string[] = Object.freeze([
  'Domain Users',
  ' blanks at both ends ',
  'say "hi"',
  "it's",
  'CORP\\sales',
  '100%',
  '%u',
  'a=b/c',
  '#1',
  '-p',
  '(x)(*)',
  'Müller',
  '日本 😀',
  'x'.repeat(255),
]);

/** User names that are somebody only to a source that puts them unescaped into a filter, a path, a pattern or an object's keys. */
const INTRUDERS = [
  '*',
  '*)(uid=*',
  'a)(|(uid=*',
  '\\2a',
  '../../etc/passwd',
  '.*',
  '%',
  "' OR ''='",
  '__proto__',
  'constructor',
  '',
  ' ',
  'x'.repeat(5000),
];

/** The user of a login, of whom no more is known than the name, unless `facts` say more. */
export function loginUser(name: string, facts: Partial<LoginUser> = {}): LoginUser {
  return { name, account: name, fields: new Map(), ...facts };
}

/** The tests of the contract for one provider. */
export function contractCases(setup: ContractSetup): readonly ContractCase[] {
  const { users, stranger, patience = 5000 } = setup;
  const [first] = users;
  if (first === undefined) throw new TypeError('contractCases: users is empty; name at least one that the source knows');
  const never = new AbortController().signal;
  // It serves many lookups at once, as the signal of a login never does.
  setMaxListeners(0, never);
  const soon: Soon = (promise) => within(patience, promise);
  const opened = use(() => setup.open(), soon);
  const broken = use(() => setup.openBroken(), soon);

  return [
    test('a known user has exactly his groups', opened, async (provider) => {
      for (const { user, groups } of users) assert.deepEqual(granted(await provider.groups(user, never)).sort(), [...groups].sort());
    }),
    test('groups are named once each, and in the same order each time', opened, async (provider) => {
      for (const { user } of users) {
        const names = granted(await provider.groups(user, never));
        assert.deepEqual(names, [...new Set(names)]);
        assert.deepEqual(granted(await provider.groups(user, never)), names);
      }
    }),
    test('a stranger is unknown, which is something else than a user without groups', opened, async (provider) => {
      assert.equal(await provider.groups(stranger, never), undefined);
    }),
    test('a user name is a name and nothing else', opened, async (provider) => {
      for (const name of INTRUDERS) {
        // Refusing such a name is as good as not knowing it.
        const groups = await provider.groups(loginUser(name), never).catch(() => undefined);
        assert.equal(groups, undefined, `the user "${name}" has groups`);
      }
    }),
    test('many lookups at once get each its own answer', opened, async (provider) => {
      const asked = Array.from({ length: 20 }, () => [...users, { user: stranger, groups: undefined }]).flat();
      const answers = await Promise.all(asked.map(({ user }) => provider.groups(user, never)));
      for (const [index, { groups }] of asked.entries()) {
        const answer = answers[index];
        if (groups === undefined) assert.equal(answer, undefined);
        else assert.deepEqual(granted(answer).sort(), [...groups].sort());
      }
    }),
    test('a cache key is a text, and the same each time', opened, async (provider) => {
      for (const { user } of users) {
        const key: unknown = await provider.cacheKey?.(user);
        assert.ok(key === undefined || typeof key === 'string', `cacheKey() returned a ${typeof key}`);
        assert.equal(await provider.cacheKey?.(user), key);
      }
    }),
    test('what it is given stays as it was', opened, async (provider) => {
      const fields = new Map([['home', '/home/x']]);
      await provider.groups(Object.freeze({ ...first.user, fields }), never);
      assert.deepEqual(fields, new Map([['home', '/home/x']]));
    }),
    test('an answer that is changed by its receiver harms no later one', opened, async (provider) => {
      const answer = await provider.groups(first.user, never);
      if (Array.isArray(answer) && !Object.isFrozen(answer)) answer.length = 0;
      assert.deepEqual(granted(await provider.groups(first.user, never)).sort(), [...first.groups].sort());
    }),
    test('a source that fails is an error, for known users and for strangers, and never an answer', broken, async (provider) => {
      for (const user of [first.user, stranger, first.user]) await soon(assert.rejects(provider.groups(user, never), Error));
    }),
    test('a lookup that nobody waits for any more does not start', opened, async (provider) => {
      await soon(assert.rejects(provider.groups(first.user, AbortSignal.abort(new Error('too late'))), Error));
    }),
    ...(setup.openHanging === undefined ? [] : hangingCases(use(setup.openHanging, soon), soon, first.user)),
    test('a lookup that was aborted spoils none after it', opened, async (provider) => {
      const abort = new AbortController();
      const aborted = provider.groups(first.user, abort.signal);
      abort.abort(new Error('too late'));
      await aborted.catch(() => undefined);
      assert.deepEqual(granted(await provider.groups(first.user, never)).sort(), [...first.groups].sort());
    }),
    {
      name: 'close lets go of everything, and may be called twice, or before anything was asked',
      run: async () => {
        const before = handles();
        const unused = await setup.open();
        await unused.close?.();
        const provider = await setup.open();
        await provider.groups(first.user, never);
        await soon(provider.close?.());
        await soon(provider.close?.());
        for (const end = Date.now() + patience; left(before).length > 0 && Date.now() < end; ) await wait(5);
        assert.deepEqual(left(before), []);
      },
    },
  ];
}

function hangingCases(hanging: Opener, soon: Soon, user: LoginUser): readonly ContractCase[] {
  return [
    test('a lookup that waits ends when it is aborted', hanging, async (provider) => {
      const abort = new AbortController();
      const answers = [provider.groups(user, abort.signal), provider.groups(user, abort.signal)].map((answer) =>
        assert.rejects(answer, Error),
      );
      // Nothing tells that they have come to where they wait; aborted too early, they pass as well.
      await wait(50);
      abort.abort(new Error('too late'));
      await soon(Promise.all(answers));
    }),
  ];
}

/** Fails when a promise takes too long. */
type Soon = (promise: Promise<unknown> | undefined) => Promise<void>;

/** Opens a provider, has something done with it, and closes it. */
type Opener = (then: (provider: GroupProvider) => Promise<void>) => Promise<void>;

function use(open: () => GroupProvider | Promise<GroupProvider>, soon: Soon): Opener {
  return async (then) => {
    const provider = await open();
    try {
      await then(provider);
    } finally {
      await soon(provider.close?.());
    }
  };
}

function test(name: string, opener: Opener, body: (provider: GroupProvider) => Promise<void>): ContractCase {
  return { name, run: () => opener(body) };
}

/** The names of the groups of an answer that are to be granted, after a look at its shape. */
function granted(answer: readonly Group[] | undefined): string[] {
  assert.ok(Array.isArray(answer), 'a known user is unknown');
  for (const { name, gid, dn, skip, wanted, incomplete, warning } of answer) {
    assert.equal(typeof name, 'string');
    assert.ok(gid === undefined || Number.isSafeInteger(gid), `gid of "${name}" is ${gid}`);
    for (const text of [dn, skip, warning]) assert.ok(text === undefined || typeof text === 'string');
    assert.ok(wanted === undefined || (typeof wanted === 'boolean' && skip !== undefined), `"${name}" is wanted to be skipped, but isn't`);
    assert.ok(
      incomplete === undefined || (typeof incomplete === 'boolean' && skip !== undefined),
      `"${name}" is incomplete, but not skipped`,
    );
  }
  return answer.filter(({ skip }) => skip === undefined).map(({ name }) => name);
}

async function within(patience: number, promise: Promise<unknown> | undefined): Promise<void> {
  const timer = new AbortController();
  const late = wait(patience, undefined, { signal: timer.signal }).then(() => assert.fail(`still waiting after ${patience} ms`));
  late.catch(() => undefined);
  try {
    await Promise.race([promise, late]);
  } finally {
    timer.abort();
  }
}

/** What keeps this process from ending, but for timers: test runners come and go with those. */
function handles(): readonly string[] {
  return process.getActiveResourcesInfo().filter((kind) => !['Timeout', 'Immediate', 'FSReqPromise', 'FSReqCallback'].includes(kind));
}

function left(before: readonly string[]): readonly string[] {
  const known = [...before];
  return handles().filter((kind) => {
    const index = known.indexOf(kind);
    if (index >= 0) known.splice(index, 1);
    return index < 0;
  });
}
