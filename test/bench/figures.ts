import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import manifest from '../../package.json' with { type: 'json' };
import { type Machine, renderMarkdown, significant, type Table } from './report.js';

/** What a benchmark found, and where and when. */
export interface Findings {
  readonly name: string;
  readonly date: Date;
  readonly machine: Machine;
  readonly tables: readonly Table[];
  /** Whether it has drawn a chart. */
  readonly chart: boolean;
}

/** The manual's page of figures; each benchmark has its place in it, between marks. */
const PAGE = 'acl-groups-figures.md';

/** Puts the tables of a benchmark, and its chart from `output`, into the manual. */
export function publish(manual: string, output: string, findings: Omit<Findings, 'chart'>): void {
  const { name } = findings;
  const drawn = join(output, `${name}.svg`);
  const chart = existsSync(drawn);
  if (chart) copyFileSync(drawn, join(manual, chartName(name)));
  const page = join(manual, PAGE);
  writeFileSync(page, withFigures(readFileSync(page, 'utf8'), { ...findings, chart }));
}

/**
 * The page with new figures of one benchmark.
 * @throws Error where the page has no place for them
 */
export function withFigures(page: string, { name, date, machine, tables, chart }: Findings): string {
  const picture = chart ? [`![${tables.map(({ title }) => title).join('; ')}](${chartName(name)})\n`] : [];
  return withMeasured(page, name, date, machine, [...picture, ...tables.map(renderMarkdown)].join('\n'));
}

/** Puts a text that was measured now into the manual. */
export function publishText(manual: string, name: string, machine: Machine, text: string): void {
  const page = join(manual, PAGE);
  writeFileSync(page, withMeasured(readFileSync(page, 'utf8'), name, new Date(), machine, text));
}

/** The page with a text between the marks of `name`, behind a line that says when and where it was measured. */
function withMeasured(page: string, name: string, date: Date, machine: Machine, text: string): string {
  const [start, end] = [`<!-- measured: ${name} -->\n`, `<!-- end of ${name} -->\n`];
  const from = page.indexOf(start);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`${PAGE}: there is no place for the figures of ${name}: ${start.trim()} and ${end.trim()}`);
  const memory = significant(machine.memory / 2 ** 30);
  const where = `acl-groups ${manifest.version}, ${date.toISOString().slice(0, 10)}, ${machine.processors}, ${memory} GiB, Linux ${machine.kernel}, Node.js ${machine.node}, load ${significant(machine.load)} before it began.`;
  return `${page.slice(0, from)}${start}\n${where}\n\n${text}\n${page.slice(to)}`;
}

const chartName = (name: string): string => `figures-${name}.svg`;
