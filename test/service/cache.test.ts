import { describe, expect, it } from 'vitest';
import { createCache, type Fetched, type Stale } from '../../src/service/cache.js';

/** A cache on a clock of its own, with a list of the stale answers that there were when it asked its source. */
function setUp(config: { ttl?: number; staleTtl?: number; maxSize?: number } = {}) {
  let time = 1000;
  const asked: (Stale<string> | undefined)[] = [];
  const cache = createCache<string>({
    ttl: 100,
    staleTtl: 1000,
    maxSize: 100_000,
    pack: (value) => value,
    unpack: (text) => text,
    now: () => time,
    ...config,
  });
  return {
    cache,
    asked,
    pass: (milliseconds: number) => {
      time += milliseconds;
    },
    /** Asks for a key; the source says `value`, or fails. */
    get: async (key: string, value: string, kind: Fetched<string>['kind'] = 'fresh') =>
      cache.fresh(key) ??
      (await cache.lookUp(key, async () => {
        const stale = cache.stale(key);
        asked.push(stale);
        return kind === 'stale' ? { value: stale?.value ?? value, kind } : { value, kind };
      })),
  };
}

/** A source whose answers come when told, in the order of the questions. */
function slowSource() {
  const answers: ((fetched: Fetched<string>) => void)[] = [];
  return { answers, fetch: (): Promise<Fetched<string>> => new Promise((resolve) => answers.push(resolve)) };
}

describe('createCache', () => {
  it('keeps an answer for its ttl', async () => {
    const { get, pass, asked } = setUp();
    expect(await get('alice', 'one')).toBe('one');
    pass(99);
    expect(await get('alice', 'two')).toBe('one');
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

  it('counts the ttl from the beginning of the lookup', async () => {
    const { cache, pass } = setUp();
    const { answers, fetch } = slowSource();
    const answer = cache.lookUp('alice', fetch);
    pass(60);
    answers[0]?.({ value: 'one', kind: 'fresh' });
    await answer;
    pass(39);
    expect(cache.fresh('alice')).toBe('one');
    pass(1);
    expect(cache.fresh('alice')).toBeUndefined();
  });

  it('asks once for those who come within the ttl of a lookup', async () => {
    const { cache, pass } = setUp();
    const { answers, fetch } = slowSource();
    const all = Array.from({ length: 50 }, () => cache.lookUp('alice', fetch));
    pass(99);
    all.push(...Array.from({ length: 50 }, () => cache.lookUp('alice', fetch)));
    answers[0]?.({ value: 'one', kind: 'fresh' });
    expect(new Set(await Promise.all(all))).toEqual(new Set(['one']));
    expect(answers).toHaveLength(1);
  });

  it.each([0, 100])(
    'begins a second lookup for who comes too late for the first, and has later ones share the next one (ttl %i)',
    async (ttl) => {
      const { cache, pass } = setUp({ ttl });
      const { answers, fetch } = slowSource();
      const first = cache.lookUp('alice', fetch);
      pass(ttl);
      const second = cache.lookUp('alice', fetch);
      expect(answers).toHaveLength(2);
      pass(ttl);
      const late = Array.from({ length: 50 }, () => cache.lookUp('alice', fetch));
      pass(50);
      late.push(...Array.from({ length: 50 }, () => cache.lookUp('alice', fetch)));
      expect(answers).toHaveLength(2);
      answers[1]?.({ value: 'two', kind: 'fresh' });
      expect(await second).toBe('two');
      await expect.poll(() => answers.length).toBe(3);
      answers[0]?.({ value: 'one', kind: 'fresh' });
      expect(await first).toBe('one');
      answers[2]?.({ value: 'three', kind: 'fresh' });
      expect(new Set(await Promise.all(late))).toEqual(new Set(['three']));
      expect(answers).toHaveLength(3);
    },
  );

  it('keeps what the lookup said that began last, and not the one that ended last', async () => {
    const { cache, pass } = setUp();
    const { answers, fetch } = slowSource();
    const first = cache.lookUp('alice', fetch);
    pass(100);
    const second = cache.lookUp('alice', fetch);
    answers[1]?.({ value: 'two', kind: 'fresh' });
    expect(await second).toBe('two');
    answers[0]?.({ value: 'one', kind: 'fresh' });
    expect(await first).toBe('one');
    expect(cache.fresh('alice')).toBe('two');
  });

  it('has the next one begin after one that failed', async () => {
    const { cache, pass } = setUp({ ttl: 0 });
    const { fetch } = slowSource();
    void cache.lookUp('alice', fetch);
    pass(1);
    const first = cache.lookUp('alice', () => Promise.reject(new Error('no')));
    pass(1);
    const next = cache.lookUp('alice', async () => ({ value: 'two', kind: 'fresh' }));
    await expect(first).rejects.toThrow('no');
    expect(await next).toBe('two');
  });

  it('keeps no failure, also for a key that asks at once again', async () => {
    const { get, cache, asked } = setUp();
    expect(await get('alice', 'incomplete', 'failure')).toBe('incomplete');
    expect(await get('alice', 'whole')).toBe('whole');
    expect(asked).toEqual([undefined, undefined]);
    await expect(cache.lookUp('bob', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
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
    const { get, pass, asked } = setUp({ ttl: 60_000, staleTtl: 3_600_000 });
    await get('alice', 'one');
    pass(60_000);
    await get('alice', '', 'stale');
    pass(4999);
    await get('alice', '', 'stale');
    expect(asked).toHaveLength(2);
    pass(1);
    expect(await get('alice', 'two')).toBe('two');
  });

  it('leaves a failing source alone for no longer than the old answer may be used', async () => {
    const { get, pass, asked } = setUp({ ttl: 5000, staleTtl: 6000 });
    await get('alice', 'one');
    pass(5900);
    expect(await get('alice', '', 'stale')).toBe('one');
    pass(99);
    expect(await get('alice', '', 'stale')).toBe('one');
    expect(asked).toHaveLength(2);
    pass(2);
    expect(await get('alice', 'gone', 'failure')).toBe('gone');
    expect(asked[2]).toBeUndefined();
  });

  it('asks for each answer with a ttl of 0, and keeps nothing without a stale_ttl', async () => {
    const none = setUp({ ttl: 0, staleTtl: 0 });
    await none.get('alice', 'one');
    expect(await none.get('alice', 'two')).toBe('two');
    expect(none.cache.size).toBe(0);
    const stale = setUp({ ttl: 0 });
    await stale.get('alice', 'one');
    expect(await stale.get('alice', 'two')).toBe('two');
  });

  it('drops answers when their memory is used up, and spares those that are asked for', async () => {
    const { get, cache } = setUp({ maxSize: 10_000 });
    await get('alice', 'one');
    for (let index = 0; index < 1000; index++) {
      await get(`user${index}`, 'one');
      expect(await get('alice', 'two')).toBe('one');
      expect(cache.bytes).toBeLessThanOrEqual(10_000);
    }
    expect(cache.fresh('user999')).toBe('one');
    expect(cache.fresh('user0')).toBeUndefined();
    expect(cache.size).toBeGreaterThan(100);
  });
});
