import { colour, draw, quote } from './chart.js';

/** Times against a size, on logarithmic axes: what grows with the size alone is a line as steep as the dashed one. */
export interface LinePanel {
  readonly title: string;
  /** What the size is of. */
  readonly size: string;
  readonly lines: readonly Line[];
}

/** What is measured at each of some sizes. */
export interface Line {
  readonly name: string;
  /** Sizes, and milliseconds. */
  readonly points: readonly (readonly [size: number, milliseconds: number])[];
}

/** Draws panels side by side into an SVG file. @throws NotPossible without gnuplot */
export function drawLines(file: string, panels: readonly LinePanel[]): Promise<void> {
  return draw(file, lineScript(panels), panels.map(({ title }) => title).join('; '));
}

const WIDTH = 830;

/** What gnuplot is told. Each line has its name in a key of its panel, below it. */
export function lineScript(panels: readonly LinePanel[]): string {
  return [
    `set terminal svg size ${WIDTH},430 noenhanced font "sans-serif,12" background "white"`,
    `set multiplot layout 1,${panels.length}`,
    'set logscale xy',
    'set border 3',
    'set tics nomirror',
    'set format x "%.0s%c"',
    'set format y "%g ms"',
    'set tmargin at screen 0.88',
    'set bmargin at screen 0.45',
    'set key at graph -0.15, graph -0.3 left top Left reverse maxcols 1 samplen 2',
    'set offsets graph 0.05, graph 0.05, 0, 0',
    ...panels.flatMap(panel),
    'unset multiplot',
    '',
  ].join('\n');
}

function panel({ title, size, lines }: LinePanel, index: number): readonly string[] {
  const blocks = lines.map(({ points }, line) =>
    [`$line${index}_${line} << END`, ...points.map((point) => point.join(' ')), 'END'].join('\n'),
  );
  const plots = lines.map(
    ({ name }, line) =>
      `$line${index}_${line} using 1:2 with linespoints pointtype 7 pointsize 0.6 linewidth 2 linecolor rgb "${colour(line + 1)}" title ${quote(name)}`,
  );
  const first = lines[0]?.points;
  const [from = 1, start = 1] = first?.at(-1) ?? [];
  // From the end of the first line backwards.
  const proportional = `x > ${from / 20} ? ${start} * x / ${from} : NaN with lines dashtype 2 linecolor rgb "#8d99a6" title ${quote('in proportion')}`;
  return [...blocks, `set title ${quote(title)}`, `set xlabel ${quote(size)}`, `plot ${[...plots, proportional].join(', \\\n  ')}`];
}
