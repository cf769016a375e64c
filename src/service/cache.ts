import { LRUCache } from 'lru-cache';
import type { CacheConfig } from '../config/load.js';

/** What was answered last, for as long as it may stand in for an answer that fails. */
export interface Stale<Value> {
  readonly value: Value;
  /** Milliseconds. */
  readonly age: number;
}

/** What a lookup came to, and what becomes of it. */
export interface Fetched<Value> {
  readonly value: Value;
  /** `fresh`: a new answer, good for `ttl`. `stale`: the old one was used again. `failure`: good for those who waited for it, and no longer. */
  readonly kind: 'fresh' | 'stale' | 'failure';
}

/** Answers by key. Those who ask for one key at the same time share one lookup. */
export interface Cache<Value> {
  /** The answer; `fetch` is called unless there is one that is fresh or under way. */
  get(key: string, fetch: (stale: Stale<Value> | undefined) => Promise<Fetched<Value>>): Promise<Value>;
  /** How many answers are kept. */
  readonly size: number;
}

/** How long a failing source is left alone for a user whose stale answer is used, in milliseconds: each try may cost a whole timeout. */
const LONGEST_PAUSE = 5000;

/** An answer under a longer key isn't kept: a bound on the number of answers has to bound their memory too. */
const LONGEST_KEY = 4096;

interface Entry<Value> {
  readonly value: Value;
  /** When it was looked up. */
  readonly since: number;
  readonly freshUntil: number;
}

/** A cache that `[cache]` describes; `now` is in milliseconds. Failures are never kept. `onHit` hears of answers that cost no lookup of their own. */
export function createCache<Value>(
  { ttl, stale_ttl: staleTtl, max_users: max }: CacheConfig,
  now: () => number,
  onHit: () => void = () => {},
): Cache<Value> {
  const entries = new LRUCache<string, Entry<Value>>({ max });
  const underWay = new Map<string, Promise<Value>>();

  async function lookUp(
    key: string,
    fetch: (stale: Stale<Value> | undefined) => Promise<Fetched<Value>>,
    old: Entry<Value> | undefined,
  ): Promise<Value> {
    const age = old === undefined ? 0 : now() - old.since;
    const { value, kind } = await fetch(old !== undefined && age <= staleTtl ? { value: old.value, age } : undefined);
    // Whole numbers, because those with a fraction are objects of their own in V8: 32 bytes for each user. Rounded down,
    // because no answer may be kept for longer than was asked, and one with a ttl of 0 not at all.
    const time = Math.floor(now());
    if (kind === 'fresh' && ttl + staleTtl > 0 && key.length <= LONGEST_KEY)
      entries.set(key, { value, since: time, freshUntil: time + ttl });
    else if (kind === 'stale' && old !== undefined) entries.set(key, { ...old, freshUntil: time + Math.min(ttl, LONGEST_PAUSE) });
    return value;
  }

  return {
    get(key, fetch) {
      const entry = entries.get(key);
      if (entry !== undefined && now() < entry.freshUntil) {
        onHit();
        return Promise.resolve(entry.value);
      }
      let promise = underWay.get(key);
      if (promise !== undefined) onHit();
      else {
        promise = lookUp(key, fetch, entry).finally(() => underWay.delete(key));
        underWay.set(key, promise);
      }
      return promise;
    },
    get size() {
      return entries.size;
    },
  };
}
