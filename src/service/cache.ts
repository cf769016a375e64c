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
   * The answer of a lookup that begins now, or of one that others wait for: one under way that began less than `ttl` ago, else the next
   * one, which begins when that has ended. So no answer is older than `ttl`, and there is one lookup at a time for a key, however slow.
   */
  lookUp(key: string, fetch: () => Promise<Fetched<Value>>): Promise<Value>;
  /** How many answers are kept. */
  readonly size: number;
  /** The memory that they take, in bytes, by the same count as `maxSize`. */
  readonly bytes: number;
}

/** How long a failing source isn't asked for a user whose stale answer is used, in milliseconds: each try may cost a whole timeout. */
const LONGEST_PAUSE = 5000;

interface UnderWay<Value> {
  readonly since: number;
  readonly answer: Promise<Value>;
  /** The lookup after this one, for those who came too late for it. */
  next: Promise<Value> | undefined;
}

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
    const started: UnderWay<Value> = { since, answer: keep(key, since, fetch), next: undefined };
    underWay.set(key, started);
    const end = (): void => {
      // The next one takes this one's place by itself.
      if (started.next === undefined) underWay.delete(key);
    };
    started.answer.then(end, end);
    return started.answer;
  }

  async function keep(key: string, since: number, fetch: () => Promise<Fetched<Value>>): Promise<Value> {
    const { value, kind } = await fetch();
    if (kind === 'fresh') {
      if (ttl + staleTtl > 0) entries.set(key, { value: pack(value), since, freshUntil: since + ttl });
    } else if (kind === 'stale') {
      const old = entries.get(key);
      if (old !== undefined) entries.renew(key, Math.min(now() + Math.min(ttl, LONGEST_PAUSE), old.since + staleTtl));
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
      const running = underWay.get(key);
      if (running === undefined) return begin(key, fetch);
      if (now() - running.since < ttl) return running.answer;
      const after = (): Promise<Value> => begin(key, fetch);
      running.next ??= running.answer.then(after, after);
      return running.next;
    },
    get size() {
      return entries.size;
    },
    get bytes() {
      return entries.bytes;
    },
  };
}
