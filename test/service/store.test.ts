import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createStore, type Stored } from '../../src/service/store.js';

const stored = (value: string, since = 1): Stored => ({ value, since, freshUntil: since + 0.5 });

describe('createStore', () => {
  it('gives back what it was given, whatever the key holds', () => {
    const store = createStore(100_000);
    const keys = ['', 'a', 'ab', '\0', 'é', '\u0100', '日本', '\ud800', '\udfff', '\ufffd', 'a\n', 'x'.repeat(3000), 'ü'.repeat(2000)];
    for (const [index, key] of keys.entries()) store.set(key, stored(`\0\xff${key.length}`, index));
    for (const [index, key] of keys.entries()) expect(store.get(key)).toEqual(stored(`\0\xff${key.length}`, index));
    expect(store.size).toBe(keys.length);
    expect(store.get('b')).toBeUndefined();
  });

  it('replaces a value by a shorter, a longer and an equally long one', () => {
    const store = createStore(100_000);
    for (const value of ['one', 'two', '', 'x'.repeat(500), 'one']) {
      store.set('key', stored(value));
      expect(store.get('key')).toEqual(stored(value));
      expect(store.size).toBe(1);
    }
  });

  it('keeps what is longer than a block, and nothing that is longer than all of the memory', () => {
    const store = createStore(1_000_000);
    store.set('long', stored('x'.repeat(600_000)));
    expect(store.get('long')).toEqual(stored('x'.repeat(600_000)));
    store.set('short', stored('one'));
    store.set('longer', stored('y'.repeat(999_000)));
    expect(store.get('longer')).toBeUndefined();
    store.set('long', stored('y'.repeat(900_000)));
    expect(store.get('long')).toEqual(stored('y'.repeat(900_000)));
    store.set('long', stored('z'.repeat(1_000_000)));
    expect(store.get('long')).toBeUndefined();
  });

  it('drops nothing while there is room, and has nearly all of its memory in use when it is full', () => {
    const store = createStore(1024 * 1024);
    const value = 'x'.repeat(200);
    const fit = Math.floor((0.9 * 1024 * 1024) / 248);
    for (let index = 0; index < fit; index++) store.set(`user${index}`, stored(value));
    expect(store.size).toBe(fit);
    for (let index = 0; index < 10 * fit; index++) store.set(`other${index}`, stored(value));
    expect(store.size).toBeGreaterThan(fit);
    expect(store.bytes).toBeLessThanOrEqual(1024 * 1024);
    expect(store.get('user0')).toBeUndefined();
  });

  it('goes on when everything in it is read all the time', () => {
    const store = createStore(16_384);
    for (let index = 0; index < 5000; index++) {
      store.set(`user${index}`, stored('one'));
      for (let other = Math.max(0, index - 200); other <= index; other++) store.get(`user${other}`);
      expect(store.get(`user${index}`)).toEqual(stored('one'));
    }
    expect(store.size).toBeGreaterThan(200);
  });

  const key = fc.oneof(fc.nat(40).map(String), fc.constantFrom('日本', '日', 'é', ''));
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('get'), key }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('set'), key, length: fc.oneof(fc.nat(40), fc.nat(1500)) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('renew'), key }) },
  );

  it('never has anything but what was kept last of a key, within its memory, whatever comes in what order', { timeout: 60_000 }, () => {
    const history = fc.tuple(fc.integer({ min: 1024, max: 20_000 }), fc.array(step, { maxLength: 400, size: 'max' }));
    let hits = 0;
    let drops = 0;
    fc.assert(
      fc.property(history, ([maxSize, steps]) => {
        const store = createStore(maxSize);
        const last = new Map<string, Stored>();
        for (const [index, made] of steps.entries()) {
          if ('length' in made) {
            const kept = stored(String.fromCharCode(index % 256).repeat(made.length), index);
            store.set(made.key, kept);
            last.set(made.key, kept);
          } else if (made.kind === 'renew') {
            store.renew(made.key, -index);
            const kept = last.get(made.key);
            if (kept !== undefined) last.set(made.key, { ...kept, freshUntil: -index });
          }
          expect(store.bytes).toBeLessThanOrEqual(maxSize);
          if (made.kind !== 'get') continue;
          const found = store.get(made.key);
          if (found !== undefined) expect(found).toEqual(last.get(made.key));
          if (found !== undefined) hits++;
          else if (last.has(made.key)) drops++;
        }
        const left = [...last.keys()].filter((name) => store.get(name) !== undefined);
        expect(store.size).toBe(left.length);
      }),
      { numRuns: 1000 },
    );
    // The property would hold for a store that keeps nothing, and for one that drops nothing.
    expect(Math.min(hits, drops)).toBeGreaterThan(1000);
  });
});
