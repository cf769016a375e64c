import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/load.js';
import type { LoginFacts } from '../../src/login/request.js';
import type { Group, LoginUser } from '../../src/providers/provider.js';
import type { OpenProvider } from '../../src/providers/registry.js';
import { createAnswerer, createDenier } from '../../src/service/answerer.js';
import { createCounters } from '../../src/service/counters.js';
import { createLogger } from '../../src/support/log.js';

const facts = (name: string, fields: Readonly<Record<string, string>> = {}, remoteIp = '::1'): LoginFacts => ({
  name,
  localIp: '127.0.0.1',
  remoteIp,
  fields: new Map(Object.entries(fields)),
});

type Ask = (user: LoginUser, signal: AbortSignal) => Promise<readonly Group[] | undefined>;

function setUp(ask: Ask, tables: Record<string, unknown> = {}, cacheKey?: (user: LoginUser) => string) {
  const lines: string[] = [];
  const counters = createCounters();
  const provider: OpenProvider = { name: 'test', provider: { groups: ask, ...(cacheKey && { cacheKey }) } };
  const log = createLogger((level, message) => lines.push(`${level}: ${message}`));
  const answerer = createAnswerer(parseConfig({ dovecot_version: '2.4', ...tables }, 'test.toml'), [provider], log, counters);
  /** The value that a login is granted; the verdict for others. */
  const valueFor = async (login: LoginFacts): Promise<string> => {
    const { verdict, text } = await answerer.answer(login, false);
    return verdict === 'grant' ? text : verdict;
  };
  return { answerer, valueFor, counters, lines };
}

describe('createAnswerer', () => {
  it('resolves a user once for logins at the same time, and again for another account or other groups of the userdb', async () => {
    let asked = 0;
    const { answerer, valueFor, counters } = setUp(async ({ account }) => {
      asked++;
      return [{ name: `of ${account}` }];
    });
    const values = await Promise.all(Array.from({ length: 100 }, () => valueFor(facts('alice'))));
    expect(new Set(values)).toEqual(new Set(['"of alice"']));
    expect(asked).toBe(1);
    expect(await valueFor(facts('alice', { system_groups_user: 'al' }))).toBe('"of al"');
    expect(await valueFor(facts('alice', { acl_groups: 'old' }))).toBe('old,"of alice"');
    expect(await valueFor(facts('alice', { uid: '7', auth_token: 'x' }))).toBe('"of alice"');
    expect(asked).toBe(3);
    expect(counters).toMatchObject({ lookups: 3, cacheHits: 100 });
    answerer.forget();
    await valueFor(facts('alice'));
    expect(asked).toBe(4);
  });

  it('keeps an account without a name apart from one that is called like the user', async () => {
    const { valueFor } = setUp(async ({ account }) => [{ name: `of-${account}` }], { user_format: 'local' });
    expect(await valueFor(facts('@x'))).toBe('of-');
    expect(await valueFor(facts('@x', { system_groups_user: '@x' }))).toBe('of-@x');
  });

  it('keeps answers apart by what a provider says they depend on', async () => {
    let asked = 0;
    const { valueFor } = setUp(
      async ({ remoteIp = '' }) => {
        asked++;
        return [{ name: remoteIp }];
      },
      {},
      ({ remoteIp = '' }) => remoteIp,
    );
    expect(await valueFor(facts('alice', {}, '10.0.0.1'))).toBe('10.0.0.1');
    expect(await valueFor(facts('alice', {}, '10.0.0.2'))).toBe('10.0.0.2');
    expect(await valueFor(facts('alice', {}, '10.0.0.1'))).toBe('10.0.0.1');
    expect(asked).toBe(2);
  });

  it('denies when a provider fails, goes on if told to, and keeps neither', async () => {
    const fail: Ask = () => Promise.reject(new Error('server gone'));
    const denying = setUp(fail);
    expect(await denying.valueFor(facts('alice'))).toBe('deny');
    expect(await denying.valueFor(facts('alice'))).toBe('deny');
    expect(denying.counters.lookups).toBe(2);
    expect(denying.counters.providerErrors).toEqual(new Map([['test', 2]]));
    expect(denying.lines[0]).toBe('error: alice: provider test failed: server gone; login denied (on_error = "deny")');
    const going = setUp(fail, { on_error: 'continue' });
    expect(await going.valueFor(facts('alice'))).toBe('');
    expect(await going.valueFor(facts('alice'))).toBe('');
    expect(going.counters.lookups).toBe(2);
  });

  it('takes a provider that cannot say what its answer depends on for one that fails', async () => {
    const fail = (): string => {
      throw new Error('no key');
    };
    const denying = setUp(async () => [{ name: 'staff' }], {}, fail);
    expect(await denying.valueFor(facts('alice'))).toBe('deny');
    expect(denying.lines).toEqual(['error: alice: provider test failed: no key; login denied (on_error = "deny")']);
    expect(denying.counters.providerErrors).toEqual(new Map([['test', 1]]));
    const goingOn = setUp(async () => [{ name: 'staff' }], { on_error: 'continue' }, fail);
    expect(await goingOn.valueFor(facts('alice'))).toBe('');
    expect(goingOn.lines).toEqual(['error: alice: provider test failed: no key; going on without its groups (on_error = "continue")']);
    expect(goingOn.answerer.status()).toMatchObject({ cachedUsers: 0 });
  });

  it('answers with what was right before when a provider fails', async () => {
    let works = true;
    const { valueFor, counters, lines } = setUp(
      async () => {
        if (!works) throw new Error('server gone');
        return [{ name: 'staff' }];
      },
      // Kept only to stand in.
      { cache: { ttl: '0s' } },
    );
    expect(await valueFor(facts('alice'))).toBe('staff');
    works = false;
    expect(await valueFor(facts('alice'))).toBe('staff');
    expect(lines.map((line) => line.replace(/\d+ s ago/, 'N s ago'))).toEqual([
      'warning: alice: provider test failed: server gone; answered as N s ago (stale_ttl)',
    ]);
    expect(counters.staleAnswers).toBe(1);
    expect(await valueFor(facts('bob'))).toBe('deny');
  });

  it('gives an unknown user no groups, and remembers that', async () => {
    const { valueFor, counters } = setUp(async () => undefined);
    expect(await valueFor(facts('nobody'))).toBe('unknown');
    expect(await valueFor(facts('nobody'))).toBe('unknown');
    expect(counters.lookups).toBe(1);
  });

  it('ends each login by its deadline, and bounds how many wait', async () => {
    const { answerer, valueFor, lines } = setUp(() => new Promise(() => {}), { timeout: '10s' });
    // All of them come in before the first one's time is over.
    const values = await Promise.all(Array.from({ length: 5000 }, (_, index) => valueFor(facts(`user${index}`))));
    expect(values.every((value) => value === 'deny')).toBe(true);
    const kinds = new Map<string, number>();
    for (const line of lines) {
      const kind = line.replace(/user\d+/, 'USER').replace(/within \d+ ms/, 'within N ms');
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    }
    const running = kinds.get('error: USER: provider test failed: test: no answer within N ms; login denied (on_error = "deny")') ?? 0;
    const waited = kinds.get('error: USER: no lookup could be started within N ms; login denied') ?? 0;
    expect(kinds.get('error: USER: too many lookups: 128 are running and 4096 waiting; login denied')).toBe(5000 - 128 - 4096);
    // On a busy machine the limit of the one who waits may come before that of the lookup.
    const backstop = kinds.get('error: USER: no answer within N ms; login denied') ?? 0;
    expect(running + waited + backstop).toBeGreaterThanOrEqual(128 + 4096);
    expect(answerer.status()).toMatchObject({ cachedUsers: 0, lookupsRunning: 128, lookupsWaiting: 0 });
  });

  it('closes its providers only when the last answer is out', async () => {
    const events: string[] = [];
    let answer: ((groups: readonly Group[]) => void) | undefined;
    const log = createLogger(() => {});
    const provider = {
      groups: () =>
        new Promise<readonly Group[]>((resolve) => {
          answer = resolve;
        }),
      close: async () => void events.push('closed'),
    };
    const answerer = createAnswerer(parseConfig({}, 'test.toml'), [{ name: 'test', provider }], log, createCounters());
    const login = answerer.answer(facts('alice'), false);
    const closed = answerer.close();
    await expect.poll(() => answer).toBeDefined();
    events.push('answered');
    answer?.([]);
    await Promise.all([login, closed]);
    expect(events).toEqual(['answered', 'closed']);
  });

  it('tells a door without the room for all groups as many as fit, or denies, by on_error', async () => {
    const many = Array.from({ length: 20 }, (_, index) => ({ name: `${index}-`.padEnd(400, 'x') }));
    const tables = { userdb: { room: '1K' } };
    const denying = setUp(async () => many, tables);
    const what = '20 groups take 8019 bytes, and a userdb reply has room for 7156';
    const fix = '[groups] include and exclude choose groups, and the post-login service has no such limit';
    expect(await denying.answerer.answer(facts('alice'), true)).toEqual({ verdict: 'deny', text: what });
    expect(denying.lines).toEqual([`error: alice: ${what}; login denied (on_error = "deny"); ${fix}`]);
    expect((await denying.answerer.answer(facts('alice'), false)).text).toHaveLength(8019);
    const going = setUp(async () => many, { ...tables, on_error: 'continue' });
    const { verdict, text } = await going.answerer.answer(facts('alice'), true);
    expect([verdict, text.split(',')]).toEqual(['grant', many.slice(0, 17).map(({ name }) => name)]);
    expect(going.lines).toEqual([`error: alice: ${what}; going on with 17 of 20 groups (on_error = "continue"); ${fix}`]);
  });

  it('refuses a user name with control characters', async () => {
    await expect(setUp(async () => []).valueFor(facts('a\nb'))).rejects.toThrow('control characters');
  });
});

describe('createDenier', () => {
  it('says why for each login', async () => {
    await expect(createDenier('/etc/acl-groups.toml:1:1: bad').answer(facts('alice'), false)).rejects.toThrow(
      'alice: /etc/acl-groups.toml:1:1: bad',
    );
  });
});
