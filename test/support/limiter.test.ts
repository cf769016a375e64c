import { describe, expect, it } from 'vitest';
import { createLimiter } from '../../src/support/limiter.js';

const { signal } = new AbortController();
const never = (): AbortSignal => signal;

describe('createLimiter', () => {
  it('runs so many at a time, in the order of their coming', async () => {
    const limiter = createLimiter('tasks', 2, 10);
    const started: number[] = [];
    const ends: (() => void)[] = [];
    const task = (n: number) => () => {
      started.push(n);
      return new Promise<number>((resolve) => ends.push(() => resolve(n)));
    };
    const all = [1, 2, 3, 4].map((n) => limiter.run(task(n), never));
    await Promise.resolve();
    expect(started).toEqual([1, 2]);
    ends[1]?.();
    expect(await all[1]).toBe(2);
    await expect.poll(() => started).toEqual([1, 2, 3]);
    ends[0]?.();
    await expect.poll(() => started).toEqual([1, 2, 3, 4]);
    for (const end of ends) end();
    expect(await Promise.all(all)).toEqual([1, 2, 3, 4]);
  });

  it('refuses more than may wait, and takes new ones when there is room again', async () => {
    const limiter = createLimiter('tasks', 1, 1);
    let end = (): void => {};
    const first = limiter.run(() => new Promise<void>((resolve) => (end = resolve)), never);
    const second = limiter.run(async () => 2, never);
    await expect(limiter.run(async () => 3, never)).rejects.toThrow('too many tasks: 1 are running and 1 waiting');
    end();
    await first;
    expect(await second).toBe(2);
    expect(await limiter.run(async () => 4, never)).toBe(4);
  });

  it('lets one who waits give up, and a failure make room', async () => {
    const limiter = createLimiter('tasks', 1, 1);
    let fail = (_error: Error): void => {};
    const first = limiter.run(() => new Promise<void>((_, reject) => (fail = reject)), never);
    const deadline = new AbortController();
    const second = limiter.run(
      async () => 2,
      () => deadline.signal,
    );
    deadline.abort(new Error('no time left'));
    await expect(second).rejects.toThrow('no time left');
    const third = limiter.run(async () => 3, never);
    fail(new Error('broken'));
    await expect(first).rejects.toThrow('broken');
    expect(await third).toBe(3);
  });

  it('asks how long to wait only for a task that has to', async () => {
    const limiter = createLimiter('tasks', 1, 1);
    const stopped = AbortSignal.abort(new Error('no time left'));
    let asked = 0;
    const patience = (): AbortSignal => {
      asked++;
      return stopped;
    };
    const first = limiter.run(async () => 1, patience);
    expect(asked).toBe(0);
    await expect(limiter.run(async () => 2, patience)).rejects.toThrow('no time left');
    expect(asked).toBe(1);
    expect(await first).toBe(1);
  });

  it('counts what a task has given up on until that ends, well or badly', async () => {
    const limiter = createLimiter('tasks', 2, 10);
    const ends: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];
    const stubborn = (): Promise<void> => new Promise((resolve, reject) => ends.push({ resolve, reject }));
    const givingUp = (): Promise<never> =>
      limiter.run((hold) => {
        hold(stubborn());
        hold(stubborn());
        return Promise.reject(new Error('given up'));
      }, never);
    await Promise.all([1, 2].map(() => expect(givingUp()).rejects.toThrow('given up')));
    expect([limiter.running, limiter.waiting]).toEqual([2, 0]);
    const third = limiter.run(async () => 3, never);
    expect([limiter.running, limiter.waiting]).toEqual([2, 1]);
    ends[0]?.resolve();
    await Promise.resolve();
    expect([limiter.running, limiter.waiting]).toEqual([2, 1]);
    ends[1]?.reject(new Error('at last'));
    expect(await third).toBe(3);
    expect([limiter.running, limiter.waiting]).toEqual([1, 0]);
    for (const { resolve } of ends) resolve();
    await expect.poll(() => limiter.running).toBe(0);
  });
});
