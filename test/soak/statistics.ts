/** What is counted while a soak runs, and the table that it ends with. */
import type { Answer, Judgement, Verdict } from './oracle.js';
import type { Usage } from './service.js';

/** A soak's figures so far. */
export interface Statistics {
  add(answer: Answer, verdict: Verdict, faults: readonly string[]): void;
  readonly answers: number;
  count(verdict: Verdict): number;
  /** Lines of text: the one table. */
  table(rest: Rest): string;
}

/** What is known at the end, beside answers. */
export interface Rest {
  /** Of the service, in order. */
  readonly usage: readonly Usage[];
  /** Connections of Dovecot's auth process that ended under it. */
  readonly connectionsLost: number;
  /** How often each fault came. */
  readonly faults: ReadonlyMap<string, number>;
  /** How often the service ended without being told to: limits do that. */
  readonly deaths: number;
  readonly left: readonly string[];
  readonly seconds: number;
}

const PEACE = 'no fault';

/** Nothing counted yet. */
export function createStatistics(): Statistics {
  const verdicts = new Map<Verdict, number>();
  const doors = new Map<string, number>();
  const latencies = new Map<string, number[]>();
  let answers = 0;
  const latency = (name: string, value: number): void => {
    const list = latencies.get(name);
    if (list === undefined) latencies.set(name, [value]);
    else list.push(value);
  };
  const count = (verdict: Verdict): number => verdicts.get(verdict) ?? 0;
  return {
    add({ door, came, answered }, verdict, faults) {
      answers++;
      verdicts.set(verdict, count(verdict) + 1);
      doors.set(door, (doors.get(door) ?? 0) + 1);
      // Processes take a time of their own.
      if (door === 'exec') return;
      for (const name of faults.length === 0 ? [PEACE] : faults) latency(name, answered - came);
    },
    get answers() {
      return answers;
    },
    count,
    table({ usage, connectionsLost, faults, deaths, left, seconds }) {
      const rows: (readonly [string, string])[] = [
        ['answers', `${answers} (${[...doors].map(([door, number]) => `${door} ${number}`).join(', ')}) in ${Math.round(seconds)} s`],
        ['wrong', String(count('wrong'))],
        ['denied with cause', String(count('denied'))],
        ['denied without cause', String(count('denied without cause'))],
        ['lost with cause', String(count('lost'))],
        ['lost without cause', String(count('lost without cause'))],
        ['connections lost, and what was asked on them asked again', String(connectionsLost)],
        ['service ended by a limit', String(deaths)],
        ['memory at start, middle, end', threeOf(usage, ({ memory }) => `${Math.round(memory / 2 ** 20)} MiB`)],
        ['descriptors at start, middle, end', threeOf(usage, ({ descriptors }) => String(descriptors))],
        ['processes left over', String(left.length)],
      ];
      const times = [...latencies].sort(([one], [other]) => Number(other === PEACE) - Number(one === PEACE) || one.localeCompare(other));
      return [
        ...aligned(rows),
        '',
        ...aligned([
          ['answered during', 'times', 'answers', 'p50', 'p99'],
          ...times.map(([name, values]) => {
            const sorted = Float64Array.from(values).sort();
            return [
              name,
              String(faults.get(name) ?? ''),
              String(values.length),
              `${quantile(sorted, 0.5)} ms`,
              `${quantile(sorted, 0.99)} ms`,
            ];
          }),
        ]),
        '',
      ].join('\n');
    },
  };
}

function threeOf(usage: readonly Usage[], show: (one: Usage) => string): string {
  const middle = usage[Math.floor(usage.length / 2)];
  return [usage[0], middle, usage.at(-1)].map((one) => (one === undefined ? '?' : show(one))).join(', ');
}

function quantile(sorted: Float64Array, share: number): string {
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1);
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 || row.length === 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

/** What is said of an answer that shouldn't have been. Times in milliseconds, from the moment at which it was asked for. */
export function describeProblem(answer: Answer, { verdict, allowed, faults }: Judgement): string {
  const { door, user, came, answered, outcome, text } = answer;
  const ago = (at: number): string => (Number.isFinite(at) ? `${Math.round(at - came)}` : '…');
  const choices = [...new Set(allowed.map((each) => JSON.stringify(each)))];
  return [
    `${verdict}: ${user} by ${door}, answered after ${Math.round(answered - came)} ms`,
    `  answer: ${JSON.stringify(outcome)} ${JSON.stringify(text)}`,
    `  allowed: ${choices.slice(0, 20).join('\n           ')}${choices.length > 20 ? `\n           and ${choices.length - 20} more` : ''}`,
    `  faults: ${faults.map(({ name, from, until }) => `${name} (${ago(from)} to ${ago(until)} ms)`).join(', ') || 'none'}`,
  ].join('\n');
}
