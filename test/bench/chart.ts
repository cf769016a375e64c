import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { NotPossible } from './benchmark.js';
import type { Table } from './report.js';

/** One picture among several side by side: a figure as bars, a cluster for each table, in it a bar for each contestant. */
export interface Panel {
  readonly title: string;
  readonly figure: 'p50' | 'rate';
  /** The tables by what is written below their bars; all have the same contestants. */
  readonly tables: Readonly<Record<string, Table>>;
}

/** Grey for no service, warm colours for a process per login, greens for the service; told apart without colours by their order. Seen on white and on black. */
const COLOURS: readonly string[] = ['#8d99a6', '#c8553d', '#e9a23b', '#f3d08a', '#8fc9b8', '#2a9d8f'];

const GNUPLOT = '/usr/bin/gnuplot';

/**
 * Draws panels side by side into an SVG file.
 * @throws NotPossible without gnuplot
 */
export async function drawBars(file: string, panels: readonly Panel[]): Promise<void> {
  await draw(file, gnuplotScript(panels), panels.map(({ title }) => title).join('; '));
}

/**
 * Has gnuplot draw into an SVG file. `description` is for those who can't see it.
 * @throws NotPossible without gnuplot
 */
export async function draw(file: string, script: string, description: string): Promise<void> {
  if (!existsSync(GNUPLOT)) throw new NotPossible("gnuplot is missing; install Debian's package gnuplot-nox");
  const child = spawn(GNUPLOT, ['-'], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(script);
  const ended = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [drawn, status] = await Promise.all([text(child.stdout), ended]);
  if (status !== 0) throw new Error(`gnuplot ended with status ${status}`);
  writeFileSync(file, withColourSchemes(drawn, description));
}

/**
 * gnuplot knows one set of colours; the reader's page has one of two. The picture brings a background along, so that its text is readable
 * even where the page is dark and the reader's setting is light.
 */
const COLOUR_SCHEMES = `<style>
  #gnuplot_canvas > rect { fill: #ffffff }
  [fill="black"] { fill: #1f2328 }
  [stroke="black"] { stroke: #1f2328 }
  @media (prefers-color-scheme: dark) {
    #gnuplot_canvas > rect { fill: #0d1117 }
    [fill="black"] { fill: #e6edf3 }
    [stroke="black"] { stroke: #e6edf3 }
  }
</style>`;

/** A picture of gnuplot's that heeds whether its reader likes it light or dark, with a description for those who can't see it. */
export function withColourSchemes(svg: string, description: string): string {
  const title = '<title>Gnuplot</title>';
  if (!svg.includes(title)) throw new Error("gnuplot's SVG has changed: it has no title");
  return svg.replace(title, () => `<title>${description}</title>\n${COLOUR_SCHEMES}`).replaceAll(/[ \t]+$/gm, '');
}

/** The width at which a repository page shows a picture, in pixels, so that nothing is scaled. */
const WIDTH = 830;

/** What gnuplot is told; it draws to stdout. Each bar carries its value, so that nobody has to read it off an axis. */
export function gnuplotScript(panels: readonly Panel[]): string {
  return [
    `set terminal svg size ${WIDTH},430 noenhanced font "sans-serif,13" background "white"`,
    `set multiplot layout 1,${panels.length}`,
    'set style fill solid',
    'set boxwidth 0.9',
    'set border 1',
    'set xtics nomirror scale 0',
    'unset ytics',
    'set tmargin at screen 0.88',
    'set bmargin at screen 0.31',
    'unset key',
    ...panels.flatMap(panel),
    ...legend(panels[0]),
    'unset multiplot',
    '',
  ].join('\n');
}

/** One legend for all panels, below them: an empty plot of the whole width. */
function legend(first: Panel | undefined): readonly string[] {
  const entries = contestantsOf(first).map((name, bar) => `NaN with boxes linecolor rgb "${colour(bar)}" title ${quote(name)}`);
  return [
    ...['title', 'border', 'xtics'].map((what) => `unset ${what}`),
    'set origin 0,0',
    'set size 1,0.22',
    ...['t', 'b'].map((side) => `set ${side}margin 0`),
    'set xrange [0:1]',
    'set yrange [0:1]',
    'set key center center horizontal Left reverse maxcols 3 samplen 1 spacing 1.4',
    `plot ${entries.join(', \\\n  ')}`,
  ];
}

function contestantsOf(panel: Panel | undefined): readonly string[] {
  return Object.values(panel?.tables ?? {})[0]?.rows.map(({ contestant }) => contestant) ?? [];
}

export function colour(bar: number): string {
  return COLOURS[bar % COLOURS.length] ?? 'black';
}

function panel(shown: Panel, index: number): readonly string[] {
  const { title, figure, tables } = shown;
  const labels = Object.keys(tables);
  const rows = Object.values(tables).map((table) => table.rows);
  const contestants = contestantsOf(shown);
  const cluster = contestants.length + 1;
  const blocks = contestants.map((_, bar) => {
    const points = rows.map((table, position) => `${position * cluster + bar} ${table[bar]?.[figure] ?? 'NaN'}`);
    return [`$bars${index}_${bar} << END`, ...points, 'END'].join('\n');
  });
  const plots = contestants.flatMap((_, bar) => {
    const block = `$bars${index}_${bar}`;
    return [
      `${block} using 1:2 with boxes linecolor rgb "${colour(bar)}" notitle`,
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
export function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
