import { describe, expect, it } from 'vitest';
import { createCache, type Fetched, type Stale } from '../../src/service/cache.js';

/** A cache on a clock of its own, with a list of what it asked for. */
function setUp(config: { ttl?: number; stale_ttl?: number; max_users?: number } = {}) {
  let time = 1000;
  let hits = 0;
  const asked: (Stale<string> | undefined)[] = [];
  const cache = createCache<string>(
    { ttl: 100, stale_ttl: 1000, max_users: 10, ...config },
    () => time,
    () => hits++,
  );
  return {
    cache,
    asked,
    hits: () => hits,
    pass: (milliseconds: number) => {
      time += milliseconds;
    },
    /** Asks for a key; the source says `value`, or fails. */
    get: (key: string, value: string, kind: Fetched<string>['kind'] = 'fresh') =>
      cache.get(key, async (stale) => {
        asked.push(stale);
        return kind === 'stale' ? { value: stale?.value ?? value, kind } : { value, kind };
      }),
  };
}

describe('createCache', () => {
  it('keeps an answer for its ttl', async () => {
    const { get, pass, asked, hits } = setUp();
    expect(await get('alice', 'one')).toBe('one');
    pass(99);
    expect(await get('alice', 'two')).toBe('one');
    expect(hits()).toBe(1);
    pass(1);
    expect(await get('alice', 'three')).toBe('three');
    expect(asked).toHaveLength(2);
  });

  it('keeps an answer no longer than that on a clock that shows fractions', async () => {
    for (const ttl of [0, 1, 100]) {
      const { get, pass } = setUp({ ttl });
      pass(0.75);
      await get('alice', 'one');
      pass(ttl);
      expect(await get('alice', 'two')).toBe('two');
    }
  });

  it('asks once for those who come at the same time', async () => {
    const { cache, hits } = setUp();
    let asked = 0;
    let answer: (fetched: Fetched<string>) => void = () => {};
    const fetch = (): Promise<Fetched<string>> => {
      asked++;
      return new Promise((resolve) => {
        answer = resolve;
      });
    };
    const all = Array.from({ length: 100 }, () => cache.get('alice', fetch));
    answer({ value: 'one', kind: 'fresh' });
    expect(new Set(await Promise.all(all))).toEqual(new Set(['one']));
    expect(asked).toBe(1);
    expect(hits()).toBe(99);
  });

  it('keeps no failure, also for a key that asks at once again', async () => {
    const { get, cache, asked } = setUp();
    expect(await get('alice', 'incomplete', 'failure')).toBe('incomplete');
    expect(await get('alice', 'whole')).toBe('whole');
    expect(asked).toEqual([undefined, undefined]);
    await expect(cache.get('bob', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await get('bob', 'one')).toBe('one');
  });

  it('offers the old answer while it is young enough', async () => {
    const { get, pass, asked } = setUp();
    await get('alice', 'one');
    pass(1000);
    expect(await get('alice', '', 'stale')).toBe('one');
    expect(asked[1]).toEqual({ value: 'one', age: 1000 });
  });

  it('leaves a failing source alone for a ttl, and does not make the old answer younger', async () => {
    const { get, pass, asked } = setUp();
    await get('alice', 'one');
    pass(600);
    expect(await get('alice', '', 'stale')).toBe('one');
    pass(99);
    expect(await get('alice', '', 'stale')).toBe('one');
    expect(asked).toHaveLength(2);
    pass(302);
    expect(await get('alice', 'gone', 'failure')).toBe('gone');
    expect(asked[2]).toBeUndefined();
  });

  it('asks a failing source again after five seconds, however long the ttl', async () => {
    const { get, pass, asked } = setUp({ ttl: 60_000, stale_ttl: 3_600_000 });
    await get('alice', 'one');
    pass(60_000);
    await get('alice', '', 'stale');
    pass(4999);
    await get('alice', '', 'stale');
    expect(asked).toHaveLength(2);
    pass(1);
    expect(await get('alice', 'two')).toBe('two');
  });

  it('asks for each answer with a ttl of 0, keeps nothing without a stale_ttl, and drops the least recently used answer', async () => {
    const none = setUp({ ttl: 0, stale_ttl: 0 });
    await none.get('alice', 'one');
    expect(await none.get('alice', 'two')).toBe('two');
    expect(none.cache.size).toBe(0);
    const stale = setUp({ ttl: 0 });
    await stale.get('alice', 'one');
    expect(await stale.get('alice', 'two')).toBe('two');
    const two = setUp({ max_users: 2 });
    await two.get('a', '1');
    await two.get('b', '1');
    await two.get('a', '2');
    await two.get('c', '1');
    expect(await two.get('a', '3')).toBe('1');
    expect(await two.get('b', '3')).toBe('3');
  });

  it('does not let keys fill the memory', async () => {
    const { get, cache } = setUp();
    await get('x'.repeat(5000), 'one');
    expect(cache.size).toBe(0);
  });
});
