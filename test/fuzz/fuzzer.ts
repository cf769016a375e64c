import fc from 'fast-check';
import { type Coverage, startCoverage } from './coverage.js';
import type { Target } from './target.js';

/** What came of a target. */
export interface Fuzzed {
  readonly inputs: number;
  /** Milliseconds. */
  readonly elapsed: number;
  /** The longest that one input took, in milliseconds. */
  readonly slowest: number;
  /** Inputs that reached code which none before them had reached, as small as that lets them be. */
  readonly found: readonly string[];
  /** Characters of code that ran with the target's own inputs, and in the end. */
  readonly covered: readonly [own: number, end: number];
  readonly finding: Finding | undefined;
}

/** An input that is read wrongly, as small as that lets it be. */
export interface Finding {
  readonly input: string;
  readonly error: unknown;
}

export interface FuzzOptions {
  readonly count: number;
  readonly seed: number;
  /** Inputs that were worth keeping. */
  readonly corpus: readonly string[];
  /** The part of the address of scripts whose coverage guides; without it, nothing does. */
  readonly guidedBy?: string | undefined;
  /** Called with the number of inputs since the last call. */
  readonly onInputs?: (inputs: number) => void;
}

/** How many inputs are made at a time, and how many between two looks at the coverage. */
const BATCH = 1000;
const GUIDED_BATCH = 50;
/** How many inputs are guided: each look takes milliseconds, and after this few looks show anything new. */
const MOST_GUIDED = 40_000;
const LONGEST = 4096;

/** Gives a target so many inputs: by its grammar, and mutations of what is kept. Ends at the first that is read wrongly. */
export function fuzz(target: Target, { count, seed, corpus, guidedBy, onInputs }: FuzzOptions): Fuzzed {
  const random = randomNumbers(seed);
  const kept = [...corpus];
  const found: string[] = [];
  const started = performance.now();
  let slowest = 0;
  let inputs = 0;
  let own = 0;

  /** The first of some inputs that is read wrongly. */
  function run(batch: readonly string[]): Finding | undefined {
    for (const input of batch) {
      const begun = performance.now();
      const error = failureOf(target, input);
      slowest = Math.max(slowest, performance.now() - begun);
      inputs++;
      if (error !== undefined) return shrinkFinding(target, input);
    }
    onInputs?.(batch.length);
    return undefined;
  }

  function generated(many: number): readonly string[] {
    return fc.sample(target.inputs, { numRuns: many, seed: Math.floor(random() * 2 ** 31) });
  }

  /** A quarter by the grammar, the rest by changes to these and to what is kept. */
  function next(many: number): readonly string[] {
    const fresh = generated(Math.ceil(many / 4));
    const from = [...kept, ...fresh];
    const changed = Array.from({ length: many - fresh.length }, () => mutate(pick(from, random) ?? '', from, target.tokens, random));
    return [...fresh, ...changed];
  }

  function guide(coverage: Coverage, most: number): Finding | undefined {
    // What the grammar's own inputs reach is where the rest begins.
    const first = Math.min(Math.ceil(most / 4), 5000);
    for (let done = 0; done < first; done += BATCH) {
      const finding = run(generated(Math.min(BATCH, first - done)));
      if (finding !== undefined) return finding;
    }
    coverage.take();
    own = coverage.known;
    const finding = run(corpus);
    if (finding !== undefined) return finding;
    coverage.take();
    while (inputs < most) {
      const batch = next(GUIDED_BATCH);
      const wrong = run(batch);
      if (wrong !== undefined) return wrong;
      if (coverage.take(true) === 0) continue;
      const input = findNew(target, coverage, batch);
      if (input !== undefined && input.length <= LONGEST) {
        kept.push(input);
        found.push(input);
      }
    }
    return undefined;
  }

  let finding: Finding | undefined;
  let end = 0;
  if (guidedBy !== undefined) {
    const coverage = startCoverage(guidedBy);
    try {
      finding = guide(coverage, Math.min(MOST_GUIDED, Math.ceil(count / 2)));
      end = coverage.known;
    } finally {
      coverage.stop();
    }
  } else {
    finding = run(corpus);
  }
  while (finding === undefined && inputs < count) finding = run(next(Math.min(BATCH, count - inputs)));
  return { inputs, elapsed: performance.now() - started, slowest, found, covered: [own, end], finding };
}

/** The one of a batch that reaches new code, made small. What it reaches counts as known from then on. */
function findNew(target: Target, coverage: Coverage, batch: readonly string[]): string | undefined {
  const reaches = (some: readonly string[]): boolean => {
    for (const input of some) failureOf(target, input);
    return coverage.take(true) > 0;
  };
  let suspects = batch;
  while (suspects.length > 1) {
    const half = suspects.slice(0, suspects.length >> 1);
    suspects = reaches(half) ? half : suspects.slice(half.length);
  }
  const [only] = suspects;
  // What a batch reaches together, such as a cache that is full, no input of it may reach alone.
  const small = only !== undefined && reaches([only]) ? shrink(only, (input) => reaches([input]), 200) : undefined;
  for (const input of batch) failureOf(target, input);
  coverage.take();
  return small;
}

function failureOf(target: Target, input: string): unknown {
  try {
    target.check(input);
    return undefined;
  } catch (error) {
    return error ?? new Error('nothing was thrown');
  }
}

function shrinkFinding(target: Target, input: string): Finding {
  const small = shrink(input, (smaller) => failureOf(target, smaller) !== undefined, 5000);
  return { input: small, error: failureOf(target, small) };
}

/** The smallest text that still has a property: pieces are taken out as long as one can be, then characters become plain ones (ddmin). */
export function shrink(text: string, has: (text: string) => boolean, most: number): string {
  let small = text;
  let tries = 0;
  for (let size = Math.ceil(small.length / 2); size >= 1 && tries < most; ) {
    let changed = false;
    for (let at = 0; at < small.length && tries < most; tries++) {
      const shorter = small.slice(0, at) + small.slice(at + size);
      if (has(shorter)) {
        small = shorter;
        changed = true;
      } else at += size;
    }
    if (!changed || size > 1) size = size === 1 ? 0 : Math.ceil(size / 2);
  }
  for (let at = 0; at < small.length && tries < most; at++, tries++) {
    const plainer = `${small.slice(0, at)}a${small.slice(at + 1)}`;
    if (small[at] !== 'a' && has(plainer)) small = plainer;
  }
  return small;
}

/** A text with one to four changes. */
function mutate(text: string, kept: readonly string[], tokens: readonly string[], random: () => number): string {
  let changed = text;
  const place = (): number => Math.floor(random() * (changed.length + 1));
  const put = (at: number, what: string, over = 0): void => {
    changed = changed.slice(0, at) + what + changed.slice(at + over);
  };
  for (let times = 1 + Math.floor(random() * 4); times > 0; times--) {
    const at = place();
    switch (Math.floor(random() * 6)) {
      case 0:
        put(at, pick(tokens, random) ?? '');
        break;
      case 1:
        put(at, '', 1 + Math.floor(random() * 8));
        break;
      case 2:
        put(at, String.fromCharCode(Math.floor(random() * 256)), 1);
        break;
      case 3:
        put(at, changed.slice(at, at + 1 + Math.floor(random() * 16)).repeat(1 + Math.floor(random() * 3)));
        break;
      case 4:
        put(at, pick(tokens, random) ?? '', 1 + Math.floor(random() * 4));
        break;
      default: {
        const other = pick(kept, random) ?? '';
        put(at, other.slice(Math.floor(random() * (other.length + 1))), changed.length);
      }
    }
  }
  return changed.slice(0, LONGEST);
}

function pick(items: readonly string[], random: () => number): string | undefined {
  return items[Math.floor(random() * items.length)];
}

/** Numbers from 0 up to 1, the same ones for the same seed (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b_79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
