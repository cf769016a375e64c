import { describe, expect, it } from 'vitest';
import { alternate, compare, concurrently, inBatches, interval, named, percentile, type Sample, summarize } from './measure.js';

describe('percentile', () => {
  it.each([
    [[1, 2, 3, 4], 50, 2],
    [[1, 2, 3, 4], 99, 4],
    [[5], 50, 5],
    [Array.from({ length: 100 }, (_, index) => index + 1), 99, 99],
    [[], 50, Number.NaN],
  ])('of %j at %d is %d, a value that was measured', (sorted, percent, expected) => {
    expect(percentile(sorted, percent)).toBe(expected);
  });
});

describe('alternate', () => {
  it('runs everybody in each round, every other round backwards, and leaves the warm-up out', async () => {
    const order: string[] = [];
    let rounds = 0;
    const contestant = (name: string) => ({
      name,
      round: async (): Promise<Sample> => {
        order.push(name);
        return { latencies: [order.length], elapsed: 1 };
      },
    });
    const measured = await alternate([contestant('a'), contestant('b')], { rounds: 2, warmUp: 1, onRound: () => rounds++ });
    expect(order.join('')).toBe('baabba');
    expect(rounds).toBe(6);
    expect(measured.map(({ name, samples }) => [name, samples.flatMap(({ latencies }) => latencies)])).toEqual([
      ['a', [3, 6]],
      ['b', [4, 5]],
    ]);
  });
});

describe('alternate by lot', () => {
  it('draws the order of each round anew, and keeps what belongs together', async () => {
    const orders: string[] = [];
    const numbers = [0.9, 0, 0, 0.9, 0.2, 0.2];
    const contestants = ['a', 'b', 'c'].map((name, index) => ({
      name,
      round: async (): Promise<Sample> => {
        orders.push(name);
        return { latencies: [index], elapsed: 1 };
      },
    }));
    const measured = await alternate(contestants, { rounds: 3, warmUp: 0, lot: () => numbers.shift() ?? Number.NaN });
    expect(orders.join('')).toBe('baccbabca');
    for (const [index, { samples }] of measured.entries()) {
      expect(samples.map(({ latencies }) => latencies)).toEqual([[index], [index], [index]]);
    }
    expect(
      new Set(
        [0, 3, 6].map((start) =>
          orders
            .slice(start, start + 3)
            .sort()
            .join(''),
        ),
      ),
    ).toEqual(new Set(['abc']));
  });
});

describe('interval', () => {
  const single = (...times: number[]) => ({ name: '', samples: times.map((time) => ({ latencies: [time], elapsed: time })) });

  it('is nothing but the ratio where every round had the same', () => {
    expect(interval(single(3, 3, 3), single(2, 2, 2))).toEqual([1.5, 1.5]);
  });

  it('draws both figures of a round together: a slow moment of the machine makes no difference', () => {
    const rival = Array.from({ length: 101 }, (_, index) => 10 + (index % 7));
    expect(interval(single(...rival.map((time) => time * 1.25)), single(...rival))).toEqual([1.25, 1.25]);
  });

  it('holds the true ratio of figures that scatter', () => {
    // Numbers that look like chance and are the same in each run (Park and Miller).
    let seed = 1;
    const random = (): number => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    const scattered = (median: number) => single(...Array.from({ length: 2000 }, () => median * (0.8 + 0.4 * random())));
    const [low, high] = interval(scattered(11), scattered(10), random);
    expect(low).toBeLessThan(1.1);
    expect(high).toBeGreaterThan(1.1);
    expect(high - low).toBeLessThan(0.05);
  });
});

describe('concurrently', () => {
  it('keeps as many operations going as it may, and no more', async () => {
    const indices: number[] = [];
    let running = 0;
    let most = 0;
    const sample = await concurrently(10, 4, async (index) => {
      indices.push(index);
      running++;
      most = Math.max(most, running);
      await new Promise(setImmediate);
      running--;
      return index;
    });
    expect(most).toBe(4);
    expect(indices).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect([...sample.latencies].sort((a, b) => a - b)).toEqual(indices);
  });

  it('fails with the operation that fails', async () => {
    await expect(concurrently(3, 1, () => Promise.reject(new Error('refused')))).rejects.toThrow('refused');
  });
});

describe('summarize', () => {
  it('counts what a batch stands for', async () => {
    let calls = 0;
    const sample = await inBatches(3, 5, () => calls++);
    expect(calls).toBe(15);
    expect(summarize({ name: 'x', samples: [sample] }).count).toBe(15);
  });

  it('takes the rate from the time that passed, not from the sum of what ran at once', () => {
    const samples = [
      { latencies: [10, 20], elapsed: 20 },
      { latencies: [30, 40], elapsed: 80 },
    ];
    expect(summarize({ name: 'x', samples })).toEqual({ p50: 20, p99: 40, rate: 40, count: 4 });
  });
});

describe('compare', () => {
  it('divides the figures of all rounds, and says how the rounds differ', () => {
    const rounds = (name: string, ...times: number[]) => ({ name, samples: times.map((time) => ({ latencies: [time], elapsed: time })) });
    const ratio = compare(rounds('ours', 2, 4, 6, 8), rounds('theirs', 1, 4, 4, 2), 'p50');
    expect(ratio).toEqual({ value: 2, quartiles: [1, 2] });
  });
});

describe('named', () => {
  it('throws where there is no such contestant', () => {
    expect(() => named([{ name: 'a', samples: [] }], 'b')).toThrow('no contestant "b" among a');
  });
});
