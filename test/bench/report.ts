import { writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { compare, interval, type Measured, named, type Summary, summarize } from './measure.js';

/** A figure that isn't a time: memory, processor time, a share, a number of something. */
export interface Figure {
  readonly label: string;
  readonly value: number;
  readonly unit: 'bytes' | 'ms' | '%' | '';
}

/** One line of a table. */
export interface Row extends Partial<Summary> {
  readonly contestant: string;
  /** p50 divided by that of the table's rival. */
  readonly ratio?: number;
  /** The ratio's 95 % interval. */
  readonly interval?: readonly [number, number];
  readonly figures?: readonly Figure[];
}

/** Something that was promised, and what came of it. */
export interface Verdict {
  readonly what: string;
  readonly value: number;
  readonly unit: 'ratio' | 'bytes';
  readonly quartiles?: readonly [number, number];
  /** The value's 95 % interval. */
  readonly interval?: readonly [number, number];
  readonly expected: { readonly atMost: number } | { readonly atLeast: number };
  readonly met: boolean;
}

/** What was measured in one go. */
export interface Table {
  readonly title: string;
  /** What the reader has to know to judge the figures. */
  readonly note?: string;
  readonly rows: readonly Row[];
  readonly verdicts: readonly Verdict[];
}

/** An expectation of the ratio of two contestants. */
export interface Expectation {
  readonly contestant: string;
  readonly rival: string;
  readonly figure: 'p50' | 'rate';
  readonly expected: Verdict['expected'];
}

/** A table of contestants, each compared with `rival`. */
export function tabulate(
  title: string,
  measured: readonly Measured[],
  options: {
    readonly rival: string;
    readonly note?: string;
    readonly expectations?: readonly Expectation[];
    readonly figures?: Readonly<Record<string, readonly Figure[]>>;
    /** Whether each round is one operation: then ratios of medians have a 95 % interval. */
    readonly single?: boolean;
  },
): Table {
  const rival = named(measured, options.rival);
  return {
    title,
    ...(options.note !== undefined && { note: options.note }),
    rows: measured.map((one) => ({
      contestant: one.name,
      ...summarize(one),
      ratio: compare(one, rival, 'p50').value,
      ...(options.single && { interval: interval(one, rival) }),
      figures: options.figures?.[one.name] ?? [],
    })),
    verdicts: (options.expectations ?? []).map(({ contestant, rival, figure, expected }) => {
      const pair = [named(measured, contestant), named(measured, rival)] as const;
      const { value, quartiles } = compare(...pair, figure);
      const spread = options.single && figure === 'p50' ? { interval: interval(...pair) } : { quartiles };
      return { what: `${contestant} / ${rival}, ${figure}`, value, unit: 'ratio', ...spread, expected, met: isMet(value, expected) };
    }),
  };
}

/** Whether a value keeps an expectation. NaN keeps none. */
export function isMet(value: number, expected: Verdict['expected']): boolean {
  return 'atMost' in expected ? value <= expected.atMost : value >= expected.atLeast;
}

/** The table as text: figures aligned, then what was expected and what came of it. */
export function render(table: Table): string {
  const [header = [], ...cells] = cellsOf(table);
  const widths = header.map((title, column) => Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `  ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ')}`.trimEnd();
  const note = table.note === undefined ? [] : [`  (${table.note})`];
  const verdicts = table.verdicts.map((verdict) => `  ${renderVerdict(verdict)}`);
  return `${[table.title, ...note, line(header), ...cells.map(line), ...verdicts].join('\n')}\n`;
}

/** The table in Markdown, under a heading. */
export function renderMarkdown(table: Table): string {
  const [header = [], ...cells] = cellsOf(table);
  const line = (row: readonly string[]): string => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const rule = header.map((_, column) => (column === 0 ? '---' : '--:'));
  const note = table.note === undefined ? [] : [`${table.note.charAt(0).toUpperCase()}${table.note.slice(1)}.`, ''];
  const verdicts = table.verdicts.length === 0 ? [] : ['', ...table.verdicts.map((verdict) => `- ${renderVerdict(verdict)}`)];
  return `${[`### ${table.title}`, '', ...note, line(header), line(rule), ...cells.map(line), ...verdicts].join('\n')}\n`;
}

/** The titles of the columns that a table has figures for, then the rows. */
function cellsOf(table: Table): readonly (readonly string[])[] {
  const labels = [...new Set(table.rows.flatMap(({ figures = [] }) => figures.map(({ label }) => label)))];
  const timed = table.rows.some(({ p50 }) => p50 !== undefined);
  const compared = table.rows.some(({ ratio }) => ratio !== undefined);
  const bounded = table.rows.some(({ interval }) => interval !== undefined);
  const header = [
    '',
    ...(timed ? ['p50', 'p99', 'a second'] : []),
    ...(compared ? ['p50 ratio'] : []),
    ...(bounded ? ['95 % interval'] : []),
    ...labels,
  ];
  const cells = table.rows.map(({ contestant, p50, p99, rate, ratio, interval, figures = [] }) => [
    contestant,
    ...(timed ? [milliseconds(p50), milliseconds(p99), rate === undefined ? '' : significant(rate)] : []),
    ...(compared ? [ratio === undefined ? '' : times(ratio)] : []),
    ...(bounded ? [interval === undefined ? '' : interval.map(times).join(' to ')] : []),
    ...labels.map((label) => {
      const figure = figures.find((one) => one.label === label);
      return figure === undefined ? '' : quantity(figure.value, figure.unit);
    }),
  ]);
  return [header, ...cells];
}

function renderVerdict({ what, value, unit, quartiles, interval, expected, met }: Verdict): string {
  const [bound, limit] = 'atMost' in expected ? ['at most', expected.atMost] : ['at least', expected.atLeast];
  const from = (label: string, bounds: readonly number[] | undefined): string =>
    bounds === undefined ? '' : ` (${label}: ${bounds.map(times).join(' to ')})`;
  const range = from('half of the rounds', quartiles) + from('95 % interval', interval);
  const outcome = met ? 'met' : `MISSED by ${significant(Math.abs(value / limit - 1) * 100)} %`;
  return `${what}: ${quantity(value, unit)}${range}, expected ${bound} ${quantity(limit, unit)}: ${outcome}`;
}

/** Three significant digits, without an exponent. */
export function significant(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US');
  // Rounded first: 9.999 has one digit less behind the point than it seems.
  const rounded = Number(value.toPrecision(3));
  return rounded === 0 ? '0' : rounded.toFixed(Math.max(0, 2 - Math.floor(Math.log10(Math.abs(rounded)))));
}

/** A ratio: three decimals where a hundredth more or less decides. */
function times(value: number): string {
  return value < 2 ? value.toFixed(3) : significant(value);
}

function milliseconds(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return '';
  if (value >= 1) return `${significant(value)} ms`;
  return value >= 0.001 ? `${significant(value * 1000)} µs` : `${significant(value * 1_000_000)} ns`;
}

function quantity(value: number, unit: Figure['unit'] | Verdict['unit']): string {
  switch (unit) {
    case 'bytes':
      return `${significant(value / 1e6)} MB`;
    case 'ms':
      return milliseconds(value);
    case '%':
      return `${Math.round(value)} %`;
    case '':
      return significant(value);
    case 'ratio':
      return times(value);
  }
}

/** The machine that the figures belong to. */
export interface Machine {
  readonly processors: string;
  readonly memory: number;
  readonly kernel: string;
  readonly node: string;
  /** The one-minute load average: figures from a busy machine are worth less. */
  readonly load: number;
}

export function describeMachine(): Machine {
  const all = cpus();
  return {
    processors: `${all.length} × ${all[0]?.model.trim() ?? 'unknown'}`,
    memory: totalmem(),
    kernel: release(),
    node: process.version,
    load: loadavg()[0] ?? 0,
  };
}

/** Writes what a benchmark found to DIRECTORY/NAME.json, for programs and for the chart. */
export function writeJson(
  directory: string,
  name: string,
  result: { readonly short: boolean; readonly machine: Machine; readonly tables: readonly Table[] },
): string {
  const file = join(directory, `${name}.json`);
  writeFileSync(file, `${JSON.stringify({ benchmark: name, date: new Date().toISOString(), ...result }, undefined, 2)}\n`);
  return file;
}
