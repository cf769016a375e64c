import { describe, expect, it } from 'vitest';
import { GivenUp, isTimeout, within } from '../../src/support/within.js';

const never = new Promise<never>(() => {});
const limits = { ms: 60_000, what: 'no answer' };

describe('within', () => {
  it('settles as the work does', async () => {
    expect(await within(Promise.resolve(7), limits)).toBe(7);
    await expect(within(Promise.reject(new Error('no')), limits)).rejects.toThrow(/^no$/);
  });

  it('gives up after its time', async () => {
    const given = await within(never, { ...limits, ms: 5 }).catch((error: unknown) => error);
    expect(given).toBeInstanceOf(GivenUp);
    expect(given).toMatchObject({ message: 'no answer within 5 ms' });
  });

  it('gives up when the lookup is over, before or in the middle, and says why', async () => {
    const reason = new Error('the login is over');
    const controller = new AbortController();
    const waiting = within(never, { ...limits, signal: controller.signal });
    controller.abort(reason);
    const expected = { name: 'GivenUp', message: 'no answer before the time for the whole lookup was over', cause: reason };
    await expect(waiting).rejects.toMatchObject(expected);
    await expect(within(never, { ...limits, signal: controller.signal })).rejects.toMatchObject(expected);
  });
});

describe('isTimeout', () => {
  it('finds a time limit below other errors', () => {
    expect(isTimeout(new Error('a', { cause: new Error('b', { cause: new GivenUp('c') }) }))).toBe(true);
    expect(isTimeout(new Error('a', { cause: 'b' }))).toBe(false);
  });
});
