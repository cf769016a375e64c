import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { NotPossible } from './benchmark.js';
import type { Table } from './report.js';

/** One picture among several side by side: a figure as bars, a cluster for each table, in it a bar for each contestant. */
export interface Panel {
  readonly title: string;
  readonly figure: 'p50' | 'rate';
  /** The tables by what is written below their bars; all have the same contestants. */
  readonly tables: Readonly<Record<string, Table>>;
}

/** Grey for no service, warm colours for a process per login, green for the service; told apart without colours by their order. */
const COLOURS: readonly string[] = ['#8d99a6', '#c8553d', '#e9a23b', '#f3d08a', '#2a9d8f'];

const GNUPLOT = '/usr/bin/gnuplot';

/**
 * Draws panels side by side into an SVG file.
 * @throws NotPossible without gnuplot
 */
export async function drawBars(file: string, panels: readonly Panel[]): Promise<void> {
  if (!existsSync(GNUPLOT)) throw new NotPossible("gnuplot is missing; install Debian's package gnuplot-nox");
  const child = spawn(GNUPLOT, ['-'], { stdio: ['pipe', 'inherit', 'inherit'] });
  child.stdin.end(gnuplotScript(file, panels));
  const status = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (status !== 0) throw new Error(`gnuplot ended with status ${status}`);
}

/** What gnuplot is told. Each bar carries its value, so that nobody has to read it off an axis. */
export function gnuplotScript(file: string, panels: readonly Panel[]): string {
  return [
    `set terminal svg size ${440 * panels.length},400 noenhanced font "sans-serif,12" background "white"`,
    `set output ${quote(file)}`,
    `set multiplot layout 1,${panels.length}`,
    'set style fill solid',
    'set boxwidth 0.9',
    'set border 1',
    'set xtics nomirror scale 0',
    'unset ytics',
    'set key below vertical maxrows 3 samplen 1',
    ...panels.flatMap(panel),
    'unset multiplot',
    '',
  ].join('\n');
}

function panel({ title, figure, tables }: Panel, index: number): readonly string[] {
  const labels = Object.keys(tables);
  const rows = Object.values(tables).map((table) => table.rows);
  const contestants = rows[0]?.map(({ contestant }) => contestant) ?? [];
  const cluster = contestants.length + 1;
  const blocks = contestants.map((_, bar) => {
    const points = rows.map((table, position) => `${position * cluster + bar} ${table[bar]?.[figure] ?? 'NaN'}`);
    return [`$bars${index}_${bar} << END`, ...points, 'END'].join('\n');
  });
  const plots = contestants.flatMap((contestant, bar) => {
    const block = `$bars${index}_${bar}`;
    return [
      `${block} using 1:2 with boxes linecolor rgb "${COLOURS[bar % COLOURS.length]}" title ${quote(contestant)}`,
      `${block} using 1:2:(sprintf($2 < 100 ? "%.1f" : "%.0f", $2)) with labels offset 0,0.7 font ",11" notitle`,
    ];
  });
  const ticks = labels.map((label, position) => `${quote(label)} ${position * cluster + (contestants.length - 1) / 2}`);
  return [
    ...blocks,
    `set title ${quote(title)}`,
    `set xtics (${ticks.join(', ')})`,
    `set xrange [-1:${labels.length * cluster - 1}]`,
    'set yrange [0:*]',
    'set offsets 0, 0, graph 0.1, 0',
    `plot ${plots.join(', \\\n  ')}`,
  ];
}

/** A gnuplot string; single quotes take everything literally, and a doubled one stands for one. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
