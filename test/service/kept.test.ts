import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Kept, pack, unpack } from '../../src/service/kept.js';
import { createStore } from '../../src/service/store.js';

const bytes = fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array).toString('latin1'));
const outcome = fc.record({ verdict: fc.constantFrom('grant', 'unknown', 'deny'), text: bytes });
const kept: fc.Arbitrary<Kept> = fc
  .tuple(outcome, fc.option(fc.record({ outcome, problem: bytes }), { nil: undefined }))
  .map(([told, narrow]) => ({ ...told, narrow }));

it('comes out of the cache as it went in, whatever the answer', () => {
  const store = createStore(10_000);
  fc.assert(
    fc.property(kept, (answer) => {
      store.set('alice', { value: pack(answer), since: 0, freshUntil: 0 });
      expect(unpack(store.get('alice')?.value ?? '')).toEqual(answer);
    }),
  );
});
