import { describe, expect, it } from 'vitest';
import { isMet, render, significant, tabulate } from './report.js';

const measured = [
  { name: 'ours', samples: [{ latencies: [1.5], elapsed: 1.5 }] },
  { name: 'theirs', samples: [{ latencies: [1], elapsed: 1 }] },
];

describe('render', () => {
  it('shows each contestant beside its rival, and what was expected', () => {
    const table = tabulate('race', measured, {
      rival: 'theirs',
      note: 'on loopback',
      expectations: [
        { contestant: 'ours', rival: 'theirs', figure: 'p50', expected: { atMost: 1.2 } },
        { contestant: 'theirs', rival: 'ours', figure: 'rate', expected: { atLeast: 1.5 } },
      ],
      figures: { ours: [{ label: 'memory', value: 50_000_000, unit: 'bytes' }] },
    });
    expect(render(table)).toBe(`race
  (on loopback)
              p50      p99  a second  p50 ratio   memory
  ours    1.50 ms  1.50 ms       667      1.500  50.0 MB
  theirs  1.00 ms  1.00 ms     1,000      1.000
  ours / theirs, p50: 1.500 (half of the rounds: 1.500 to 1.500), expected at most 1.200: MISSED by 25.0 %
  theirs / ours, rate: 1.500 (half of the rounds: 1.500 to 1.500), expected at least 1.500: met
`);
  });

  it('shows how far the ratios of single operations can be trusted', () => {
    const expectations = [{ contestant: 'ours', rival: 'theirs', figure: 'p50', expected: { atMost: 2 } }] as const;
    expect(render(tabulate('race', measured, { rival: 'theirs', expectations, single: true }))).toBe(`race
              p50      p99  a second  p50 ratio   95 % interval
  ours    1.50 ms  1.50 ms       667      1.500  1.500 to 1.500
  theirs  1.00 ms  1.00 ms     1,000      1.000  1.000 to 1.000
  ours / theirs, p50: 1.500 (95 % interval: 1.500 to 1.500), expected at most 2.00: met
`);
  });

  it('has no columns for what was not measured', () => {
    expect(render({ title: 't', rows: [{ contestant: 'a', figures: [{ label: 'busy', value: 51.4, unit: '%' }] }], verdicts: [] })).toBe(
      't\n     busy\n  a  51 %\n',
    );
  });
});

describe('significant', () => {
  it.each([
    [0, '0'],
    [0.000123456, '0.000123'],
    [1, '1.00'],
    [9.999, '10.0'],
    [123.4, '123'],
    [12345.6, '12,346'],
    [Number.NaN, '-'],
  ])('%d is %s', (value, text) => {
    expect(significant(value)).toBe(text);
  });
});

describe('isMet', () => {
  it('takes no figure for a kept promise', () => {
    expect(isMet(Number.NaN, { atMost: 1 })).toBe(false);
    expect(isMet(Number.NaN, { atLeast: 1 })).toBe(false);
  });
});
