import { describe, expect, it } from 'vitest';
import { GivenUp, Stop, within } from '../../../src/providers/ldap/deadline.js';

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
    const stop = new Stop(controller.signal);
    const waiting = within(never, { ...limits, stop });
    controller.abort(reason);
    const expected = { name: 'GivenUp', message: 'no answer before the time for the whole lookup was over', cause: reason };
    await expect(waiting).rejects.toMatchObject(expected);
    await expect(within(never, { ...limits, stop })).rejects.toMatchObject(expected);
  });
});

describe('Stop', () => {
  it('wakes all who wait, and those no more who left', () => {
    const controller = new AbortController();
    const stop = new Stop(controller.signal);
    const woken: string[] = [];
    const second = (): void => void woken.push('second');
    stop.add(() => woken.push('first'));
    stop.add(second);
    stop.remove(second);
    expect(stop.aborted).toBe(false);
    controller.abort('over');
    expect(woken).toEqual(['first']);
    expect(stop.reason).toBe('over');
  });

  it('hears nothing after its end', () => {
    const controller = new AbortController();
    const stop = new Stop(controller.signal);
    let woken = false;
    stop.add(() => {
      woken = true;
    });
    stop.end();
    controller.abort();
    expect(woken).toBe(false);
  });
});
