import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROJECT } from '../support/project.js';
import { steepest } from './cost.js';
import { withFigures } from './figures.js';
import { lineScript } from './line-chart.js';

const findings = {
  name: 'cost',
  date: new Date('2026-11-24T12:00:00Z'),
  machine: { processors: '2 × x', memory: 8 * 2 ** 30, kernel: '6.1', node: 'v20.20.2', load: 0.5 },
  tables: [
    {
      title: 'cost: groups',
      note: 'a group file',
      rows: [{ contestant: 'a|b', p50: 1.5, p99: 2, rate: 700 }],
      verdicts: [{ what: 'a: steepest', value: 0.9, unit: 'ratio', expected: { atMost: 1.1 }, met: true }],
    },
  ],
  chart: true,
} as const;

describe('withFigures', () => {
  it('puts tables, verdicts, the machine and the chart between the marks, however often', () => {
    const page = 'before\n<!-- measured: cost -->\nold\n<!-- end of cost -->\nbehind\n';
    const filled = withFigures(page, findings);
    expect(filled).toMatch(
      /^before\n<!-- measured: cost -->\n\nacl-groups \d+\.\d+\.\d+, 2026-11-24, 2 × x, 8\.00 GiB, Linux 6\.1, Node\.js v20\.20\.2, load 0\.500 before it began\.\n/,
    );
    expect(filled).toContain(
      `
![cost: groups](figures-cost.svg)

### cost: groups

A group file.

|  | p50 | p99 | a second |
| --- | --: | --: | --: |
| a\\|b | 1.50 ms | 2.00 ms | 700 |

- a: steepest: 0.900, expected at most 1.100: met

<!-- end of cost -->
behind
`,
    );
    expect(withFigures(filled, findings)).toBe(filled);
  });

  it('has a place for each of its benchmarks in the manual, and nowhere else', () => {
    const page = readFileSync(join(PROJECT, 'src/package/manual/acl-groups-figures.md'), 'utf8');
    for (const name of ['scale', 'morning', 'cost']) expect(withFigures(page, { ...findings, name })).toContain('a|b'.replace('|', '\\|'));
    expect(() => withFigures(page, { ...findings, name: 'exec' })).toThrow(
      'acl-groups-figures.md: there is no place for the figures of exec: <!-- measured: exec --> and <!-- end of exec -->',
    );
  });
});

describe('steepest', () => {
  it('is the slope on logarithmic axes, between sizes that are far enough apart', () => {
    const line = (slope: number): (readonly [number, number])[] => [1, 10, 100].map((size) => [size, size ** slope]);
    expect(steepest(line(1))).toBeCloseTo(1);
    expect(steepest(line(2))).toBeCloseTo(2);
    expect(steepest([...line(0), [101, 5]])).toBeCloseTo(0.698, 2);
    expect(steepest([[1, 1]])).toBeNaN();
  });
});

describe('lineScript', () => {
  it('has a block for each line of each panel, and a line that shows what is in proportion', () => {
    const script = lineScript([
      {
        title: "a's",
        size: 'groups',
        lines: [
          {
            name: 'exec',
            points: [
              [1, 2],
              [100, 50],
            ],
          },
        ],
      },
    ]);
    expect(script).toContain('$line0_0 << END\n1 2\n100 50\nEND\n');
    expect(script).toContain("set title 'a''s'\nset xlabel 'groups'\n");
    expect(script).toContain('x > 5 ? 50 * x / 100 : NaN');
  });
});
