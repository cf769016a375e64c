/** Worlds and what happens in them, by fast-check's model-based testing: what fails is made small. */
import fc from 'fast-check';
import type { Version } from './dovecot.js';
import { ACCIDENTS } from './group-file.js';
import type { Rules, State } from './model.js';
import { type Arrival, createWorld, type Kind, type Manner, type Setup, subjectOf, type World } from './world.js';

const USERS = ['alice', 'bob', 'alice@x', '@x', 'constructor'];
const ACCOUNTS = ['alice', 'bob', '', '@x'];
const ADDRESSES = ['10.0.0.1', '10.0.0.2'];

/** Names that mean something to somebody on the way. */
const NAMES = [
  'staff',
  'Staff',
  'acct',
  'Domain Users',
  'inline:staff',
  'inline:',
  'x,y',
  '100%',
  '%u',
  '%{user}',
  '50%%',
  'CORP\\sales',
  'say "hi"',
  '"',
  '\\',
  ' a ',
  'a\\sb',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'ÉTÉ',
  '😀 x',
  'tab\there',
  '=',
  '/',
  'alice',
  'yes',
  'n'.repeat(500),
  'long-'.repeat(80),
  'long '.repeat(99),
  `${'l o n g '.repeat(50)}`,
  `${'\\"'.repeat(60)}`,
];

const GLOBS = ['*', 's*', '?taff', 'Domain*', '*\\\\*', 'inline:*', '\\*', 'constructor', '*%*', 'x,?', '* *'];

/** Values of acl_groups as a userdb may give them, in each version's notation. */
const GIVEN: Readonly<Record<Version, readonly string[]>> = {
  '2.3': ['', 'given', 'staff', 'given,staff', '%u', '%%u,x', '100%', 'a b,,"q"', 'inline:x', '%{user},50%%', '%'],
  '2.4': ['', 'given', 'staff', 'given staff', '"Domain Users",acct', 'inline:staff', 'a"b', '"', 'a\\sb', '"x\\\\\\\\y"', ',,a', '""'],
};

const SPELLINGS = ['plugin/acl_groups', 'set/acl_groups'];
const ELEMENTS = ['acl_groups/staff', 'acl_groups/Dom\\sx', 'set/acl_groups/new', 'acl_groups/inline:z', 'acl_groups/x y'];

/** What a third-party provider may answer with by mistake. */
const MALFORMED: readonly unknown[] = [
  null,
  'staff',
  {},
  [null],
  [undefined],
  // biome-ignore lint/suspicious/noSparseArray: a hole is what it is about
  [{ name: 'staff' }, , { name: 'acct' }],
  [{ name: 'staff', skip: null }],
  [{ name: 7 }],
  [{}],
];

/** Times that may pass, in milliseconds: those at which something ends, and one less and one more. */
const TIMES: Readonly<Record<string, (rules: Rules) => number>> = {
  'no time': () => 0,
  '1 ms': () => 1,
  'half a second': () => 500,
  'half of ttl': ({ ttl }) => ttl / 2,
  'nearly ttl': ({ ttl }) => Math.max(0, ttl - 1),
  ttl: ({ ttl }) => ttl,
  'nearly stale_ttl': ({ staleTtl }) => Math.max(0, staleTtl - 1),
  stale_ttl: ({ staleTtl }) => staleTtl,
  'stale_ttl and 1 ms': ({ staleTtl }) => staleTtl + 1,
  'half of stale_ttl': ({ staleTtl }) => staleTtl / 2,
  'half of the timeout': ({ timeout }) => timeout / 2,
  'the timeout': ({ timeout }) => timeout,
  'the timeout and its grace': ({ timeout }) => timeout + 250,
  'an hour': () => 3_600_000,
};

const someOf = (values: readonly string[], maxLength: number): fc.Arbitrary<string[]> =>
  fc.array(fc.constantFrom(...values), { maxLength });

const drawnRules: fc.Arbitrary<Rules> = fc.record({
  onError: fc.constantFrom('deny', 'continue'),
  onIncomplete: fc.constantFrom('warn', 'deny'),
  userFormat: fc.constantFrom('full', 'local'),
  masterUser: fc.constantFrom('auto', 'user', 'master'),
  version: fc.constantFrom('2.3', '2.4'),
  include: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: someOf(GLOBS, 2) }),
  exclude: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: someOf(GLOBS, 2) }),
  rename: fc.uniqueArray(fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom(...NAMES)), { maxLength: 3, selector: ([from]) => from }),
  add: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: someOf(NAMES, 2) }),
  lower: fc.boolean(),
  ttl: fc.constantFrom(0, 1000, 30_000),
  staleTtl: fc.constantFrom(0, 1000, 10_000, 3_600_000),
  timeout: fc.constant(5000),
});

/** The answer doesn't depend on what providers are called, not even by our own words. */
const setup: fc.Arbitrary<Setup> = fc.record({
  rules: drawnRules,
  sources: fc.uniqueArray(
    fc.record({
      name: fc.constantFrom('unix', 'ldap', 'userdb', 'config', 'constructor'),
      kind: fc.constantFrom<Kind[]>('account', 'account', 'name', 'address', 'file'),
    }),
    { minLength: 1, maxLength: 3, selector: ({ name }) => name },
  ),
});

const state: fc.Arbitrary<State> = fc.oneof(
  { weight: 1, arbitrary: fc.constant(undefined) },
  {
    weight: 6,
    arbitrary: fc.array(
      fc.oneof(
        { weight: 8, arbitrary: fc.record({ name: fc.constantFrom(...NAMES) }) },
        { weight: 1, arbitrary: fc.record({ name: fc.constantFrom(...NAMES), skip: fc.constant('no name') }) },
        {
          weight: 1,
          arbitrary: fc.record({ name: fc.constantFrom(...NAMES), skip: fc.constant('unreadable'), incomplete: fc.constant(true) }),
        },
      ),
      { maxLength: 5 },
    ),
  },
);

/** Weighted towards the users and addresses at the start of each list, so that something happens to them. */
const user = fc.oneof({ weight: 6, arbitrary: fc.constant('alice') }, { weight: 1, arbitrary: fc.constantFrom(...USERS) });

const subject = fc.oneof(
  { weight: 6, arbitrary: fc.constant('alice') },
  { weight: 1, arbitrary: fc.constantFrom(...USERS, ...ACCOUNTS) },
  { weight: 1, arbitrary: fc.constantFrom(...ADDRESSES).map((remoteIp) => subjectOf('address', { user: 'alice', account: '', remoteIp })) },
);

const PLAIN_FIELDS = [
  { key: 'uid', value: '1000' },
  { key: 'auth_token', value: 'x\ty' },
  { key: 'ACL_GROUPS', value: 'loud' },
  { key: 'plugin/acl', value: 'vfile' },
];

/** Whom a master user logs in as, and whom ACLs are checked for. */
const MASTER_FIELDS = [
  [{ key: 'master_user', value: 'bob' }],
  [{ key: 'master_user', value: 'alice@x' }],
  [{ key: 'master_user', value: '' }],
  ...['acl_user', 'plugin/acl_user', 'master'].flatMap((key) => [
    [
      { key: 'master_user', value: 'bob' },
      { key, value: 'bob' },
    ],
    [
      { key, value: 'alice' },
      { key: 'master_user', value: 'bob' },
    ],
  ]),
];

/** `version` is known when the world is: the value is chosen by number. */
interface DrawnLogin {
  readonly user: string;
  readonly account: string | undefined;
  readonly given: readonly { readonly key: string; readonly value: number }[];
  readonly plain: Arrival['fields'];
  readonly remoteIp: string;
  readonly master: Arrival['fields'];
  readonly door: Arrival['door'];
}

const login: fc.Arbitrary<DrawnLogin> = fc.record({
  user,
  account: fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.constantFrom(...ACCOUNTS) }),
  given: fc.oneof(
    { weight: 6, arbitrary: fc.constant([]) },
    {
      weight: 2,
      arbitrary: fc.uniqueArray(
        fc.record({ key: fc.oneof(fc.constant('acl_groups'), fc.constantFrom(...SPELLINGS, ...ELEMENTS)), value: fc.nat(99) }),
        { minLength: 1, maxLength: 3, selector: ({ key }) => key },
      ),
    },
  ),
  plain: fc.subarray(PLAIN_FIELDS, { maxLength: 2 }),
  remoteIp: fc.oneof({ weight: 5, arbitrary: fc.constant('10.0.0.1') }, { weight: 1, arbitrary: fc.constant('10.0.0.2') }),
  master: fc.oneof({ weight: 5, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.constantFrom(...MASTER_FIELDS) }),
  door: fc.constantFrom<Arrival['door'][]>('post-login', 'post-login', 'post-login', 'narrow', 'exec'),
});

function arrivalOf({ user: name, account, given, plain, remoteIp, master, door }: DrawnLogin, version: Version): Arrival {
  const groups = given.map(({ key, value }) => {
    const values = ELEMENTS.includes(key) ? ['yes', 'no'] : GIVEN[version];
    return { key, value: values[value % values.length] ?? '' };
  });
  const system = account === undefined ? [] : [{ key: 'system_groups_user', value: account }];
  return { user: name, fields: [...plain.slice(0, 1), ...master, ...groups, ...system, ...plain.slice(1)], remoteIp, door };
}

/** One step, with the words that a report has for it. */
function step(text: string, run: (world: World, rules: Rules) => void | Promise<void>): fc.AsyncCommand<Rules, World> {
  return {
    check: () => true,
    async run(rules, world) {
      onStep();
      await run(world, rules);
      await world.settle();
    },
    toString: () => text,
  };
}

/** How long a history gets at most. */
export const LONGEST_HISTORY = 40;

let onStep: () => void = () => {};

const steps = [
  fc
    .tuple(fc.nat(2), subject, state)
    .map(([source, whose, now]) =>
      step(`source ${source}: ${whose} is ${JSON.stringify(now) ?? 'unknown'}`, (w) => w.change(source, whose, now)),
    ),
  fc
    .tuple(fc.nat(2), fc.constantFrom<Manner[]>('prompt', 'slow', 'slow', 'held', 'failing'))
    .map(([source, manner]) => step(`source ${source} is ${manner}`, (w) => w.manner(source, manner))),
  fc
    .tuple(fc.nat(2), fc.constantFrom(...ACCIDENTS))
    .map(([source, accident]) => step(`file of source ${source}: ${accident}`, (w) => w.happen(source, accident))),
  login.map((drawn) => step(`login ${JSON.stringify(drawn)}`, (w, { version }) => w.arrive(arrivalOf(drawn, version)))),
  login.map((drawn) => step(`login ${JSON.stringify(drawn)}`, (w, { version }) => w.arrive(arrivalOf(drawn, version)))),
  fc.nat(5).map((call) => step(`held lookup ${call} reads`, (w) => w.read(call))),
  fc.nat(5).map((call) => step(`held lookup ${call} answers`, (w) => w.answer(call))),
  fc.nat(5).map((call) => step(`held lookup ${call} answers`, (w) => w.answer(call))),
  fc
    .tuple(fc.nat(5), fc.constantFrom(undefined, undefined, ...MALFORMED))
    .map(([call, odd]) =>
      step(`held lookup ${call} fails${odd === undefined ? '' : ` with ${JSON.stringify(odd)}`}`, (w) => w.fail(call, odd)),
    ),
  fc.constantFrom(...Object.entries(TIMES)).map(([words, time]) => step(`${words} passes`, (w, rules) => w.advance(time(rules)))),
  fc.constant(step('the cache is emptied', (w) => w.forget())),
];

/**
 * Goes through so many histories. `stepped` hears of each step.
 * @throws Error with the seed and the shortest history that the model doesn't allow
 */
export async function runHistories(runs: number, seed: number, stepped: () => void = () => {}): Promise<void> {
  onStep = stepped;
  const property = fc.asyncProperty(setup, fc.commands(steps, { maxCommands: LONGEST_HISTORY, size: 'max' }), async (given, commands) => {
    const world = createWorld(given);
    try {
      await fc.asyncModelRun(() => ({ model: given.rules, real: world }), commands);
      await world.finish();
    } finally {
      world.end();
    }
  });
  await fc.assert(property, { numRuns: runs, seed });
}
