import { describe, expect, it } from 'vitest';
import { gnuplotScript, withColourSchemes } from './chart.js';

describe('gnuplotScript', () => {
  it('places a cluster of bars for each table, and escapes what it names', () => {
    const table = (first: number, second: number) => ({
      title: '',
      verdicts: [],
      rows: [
        { contestant: 'nobody', p50: first },
        { contestant: "shell's", p50: second },
      ],
    });
    const script = gnuplotScript([{ title: 'ms', figure: 'p50', tables: { '2.3': table(1, 2), '2.4': table(3, 4) } }]);
    expect(script).toContain('$bars0_0 << END\n0 1\n3 3\nEND\n$bars0_1 << END\n1 2\n4 4\nEND\n');
    expect(script).toContain("set xtics ('2.3' 0.5, '2.4' 3.5)\nset xrange [-1:5]\n");
    expect(script).toContain("title 'shell''s'");
  });

  it('has one legend, whatever the number of panels', () => {
    const tables = { '2.3': { title: '', verdicts: [], rows: [{ contestant: 'a', p50: 1, rate: 2 }] } };
    const script = gnuplotScript([
      { title: 'ms', figure: 'p50', tables },
      { title: 'a second', figure: 'rate', tables },
    ]);
    expect(script.match(/^set key /gm)).toHaveLength(1);
    expect(script.match(/ title 'a'/g)).toHaveLength(1);
  });
});

describe('withColourSchemes', () => {
  it('refuses a picture that it does not know', () => {
    expect(() => withColourSchemes('<svg/>', 'a chart')).toThrow("gnuplot's SVG has changed: it has no title");
  });
});
