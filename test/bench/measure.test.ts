import { describe, expect, it } from 'vitest';
import { alternate, compare, concurrently, inBatches, named, percentile, type Sample, summarize } from './measure.js';

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
