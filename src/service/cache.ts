import { createStore } from './store.js';

/** What was answered last, for as long as it may stand in for an answer that fails. */
export interface Stale<Value> {
  readonly value: Value;
  /** Milliseconds since its lookup began. */
  readonly age: number;
}

/** What a lookup came to, and what becomes of it. */
export interface Fetched<Value> {
  readonly value: Value;
  /** `fresh`: a new answer, good for `ttl`. `stale`: the old one was used again. `failure`: good for those who waited for it, and no longer. */
  readonly kind: 'fresh' | 'stale' | 'failure';
}

export interface CacheOptions<Value> {
  /** How long an answer is good, from the moment its lookup began, in milliseconds. */
  readonly ttl: number;
  /** How old an answer may be that stands in for one that fails, in milliseconds. */
  readonly staleTtl: number;
  /** Memory for keys, values and what it takes to keep them, in bytes. */
  readonly maxSize: number;
  /** A value as a text, one byte a character (latin1), and back. */
  readonly pack: (value: Value) => string;
  readonly unpack: (text: string) => Value;
  /** Milliseconds on a clock that never goes back. */
  readonly now: () => number;
}

/** Answers by key. Those who ask for one key at the same time share a lookup, as far as `ttl` allows. */
export interface Cache<Value> {
  /** The answer that is good now. */
  fresh(key: string): Value | undefined;
  /** The answer that may stand in for one that fails. */
  stale(key: string): Stale<Value> | undefined;
  /**
   * The answer of a lookup that begins now, or of one that others wait for: one under way that began less than `ttl` ago, else, where two
   * are under way already, the next one, which begins when one of these has ended. So no answer is older than `ttl`, and however slow
   * lookups are, there are two at a time for a key. With one, who comes too late for it would wait almost two times as long as it takes.
   */
  lookUp(key: string, fetch: () => Promise<Fetched<Value>>): Promise<Value>;
  /** How many answers are kept. */
  readonly size: number;
  /** The memory that they take, in bytes, by the same count as `maxSize`. */
  readonly bytes: number;
}

/** How long a failing source isn't asked for a user whose stale answer is used, in milliseconds: each try may cost a whole timeout. */
const LONGEST_PAUSE = 5000;

interface Lookup<Value> {
  readonly since: number;
  readonly answer: Promise<Value>;
}

interface UnderWay<Value> {
  /** In the order of their beginning. */
  readonly lookups: Lookup<Value>[];
  /** The lookup after these, for those who came too late for them. */
  next: Promise<Value> | undefined;
}

/** How many lookups for one key there may be at a time. */
const MOST_LOOKUPS = 2;

/** An empty cache. */
export function createCache<Value>({ ttl, staleTtl, maxSize, pack, unpack, now }: CacheOptions<Value>): Cache<Value> {
  const entries = createStore(maxSize);
  const underWay = new Map<string, UnderWay<Value>>();

  function staleOf(key: string): Stale<Value> | undefined {
    const entry = entries.get(key);
    if (entry === undefined) return undefined;
    const age = now() - entry.since;
    return age <= staleTtl ? { value: unpack(entry.value), age } : undefined;
  }

  function begin(key: string, fetch: () => Promise<Fetched<Value>>): Promise<Value> {
    const since = now();
    const lookup: Lookup<Value> = { since, answer: keep(key, since, fetch) };
    const those = underWay.get(key) ?? { lookups: [], next: undefined };
    those.lookups.push(lookup);
    underWay.set(key, those);
    const end = (): void => {
      those.lookups.splice(those.lookups.indexOf(lookup), 1);
      if (those.lookups.length === 0 && those.next === undefined) underWay.delete(key);
    };
    lookup.answer.then(end, end);
    return lookup.answer;
  }

  /** The lookup that begins when one of those under way has ended. */
  function beginNext(key: string, those: UnderWay<Value>, fetch: () => Promise<Fetched<Value>>): Promise<Value> {
    const start = (): Promise<Value> => {
      those.next = undefined;
      return begin(key, fetch);
    };
    return Promise.race(those.lookups.map(({ answer }) => answer)).then(start, start);
  }

  async function keep(key: string, since: number, fetch: () => Promise<Fetched<Value>>): Promise<Value> {
    const { value, kind } = await fetch();
    const old = entries.get(key);
    // A lookup that began later may have ended first.
    if (old !== undefined && old.since > since) return value;
    if (kind === 'fresh') {
      if (ttl + staleTtl > 0) entries.set(key, { value: pack(value), since, freshUntil: since + ttl });
    } else if (kind === 'stale' && old !== undefined) {
      entries.renew(key, Math.min(now() + Math.min(ttl, LONGEST_PAUSE), old.since + staleTtl));
    }
    return value;
  }

  return {
    fresh(key) {
      const entry = entries.get(key);
      return entry !== undefined && now() < entry.freshUntil ? unpack(entry.value) : undefined;
    },
    stale: staleOf,
    lookUp(key, fetch) {
      const those = underWay.get(key);
      if (those === undefined) return begin(key, fetch);
      const last = those.lookups.at(-1);
      if (last !== undefined && now() - last.since < ttl) return last.answer;
      if (those.next === undefined && those.lookups.length < MOST_LOOKUPS) return begin(key, fetch);
      those.next ??= beginNext(key, those, fetch);
      return those.next;
    },
    get size() {
      return entries.size;
    },
    get bytes() {
      return entries.bytes;
    },
  };
}
