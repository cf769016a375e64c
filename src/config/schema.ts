import * as v from 'valibot';
import { isTable, type Schema } from './options.js';

/** Building blocks for option tables. Each states its default, so that documentation and code can't differ. */

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
/** What setTimeout can take: about 24 days. */
const LONGEST = 2 ** 31 - 1;

/** A duration such as "500ms", "3s", "5m" or "1h"; the value is in milliseconds. */
export function duration(standard: string): Schema<number> {
  return v.optional(
    v.pipe(
      v.string((issue) => durationMessage(issue.received)),
      v.regex(/^\d{1,9}(ms|s|m|h)$/, (issue) => durationMessage(issue.received)),
      v.transform((text) => {
        const [, number = '', unit = ''] = /^(\d+)(\D+)$/.exec(text) ?? [];
        return Number(number) * (UNITS[unit] ?? 0);
      }),
      v.maxValue(LONGEST, 'expected a duration of 24 days at most'),
    ),
    standard,
  );
}

function durationMessage(received: string): string {
  return `expected a duration such as "500ms", "3s" or "5m", found ${received}`;
}

/** An amount of memory such as "512K", "64M" or "1G"; the value is in bytes. */
export function size(standard: string): Schema<number> {
  const message = (received: string): string => `expected a size such as "512K", "64M" or "1G", found ${received}`;
  return v.optional(
    v.pipe(
      v.string((issue) => message(issue.received)),
      v.regex(/^[1-9]\d{0,5}[KMG]$/, (issue) => message(issue.received)),
      v.transform((text) => Number.parseInt(text, 10) * 1024 ** ('KMG'.indexOf(text.slice(-1)) + 1)),
    ),
    standard,
  );
}

/** One of a few words. */
export function oneOf<const Words extends readonly string[]>(words: Words, standard: Words[number]): Schema<Words[number]> {
  const allowed = words.map((word) => `"${word}"`).join(', ');
  return v.optional(
    v.picklist(words, (issue) => `expected one of ${allowed}, found ${issue.received}`),
    standard,
  );
}

/** A text; with no default, an option that may be left out has the empty text. */
export function text(standard = ''): Schema<string> {
  return v.optional(v.string(expected('a text')), standard);
}

/** A path that has to be given. */
export function path(): Schema<string> {
  return v.pipe(
    v.string(({ received }) => (received === 'undefined' ? 'missing; give a path' : `expected a path, found ${received}`)),
    v.nonEmpty('expected a path, found ""'),
  );
}

export function flag(standard: boolean): Schema<boolean> {
  return v.optional(v.boolean(expected('true or false')), standard);
}

/** A whole number within bounds. */
export function integer(standard: number, least: number, most: number): Schema<number> {
  const range = `a whole number from ${least} to ${most}`;
  return v.optional(
    v.pipe(v.number(expected(range)), v.integer(expected(range)), v.minValue(least, expected(range)), v.maxValue(most, expected(range))),
    standard,
  );
}

/** A list of texts, none of them empty. */
export function texts(standard: readonly string[] = []): Schema<readonly string[]> {
  const item = v.pipe(v.string(expected('a text')), v.nonEmpty('expected a text that is not empty'));
  return v.optional(v.array(item, expected('a list of texts')), [...standard]);
}

/** A table from text to text. */
export function textMap(): Schema<Readonly<Record<string, string>>> {
  const value = v.pipe(v.string(expected('a text')), v.nonEmpty('expected a text that is not empty'));
  // A list passes as a record.
  const table = v.custom<object>(isTable, expected('a table of texts'));
  return v.optional(v.pipe(table, v.record(v.string(), value)), {});
}

function expected(what: string): (issue: { readonly received: string }) => string {
  return (issue) => `expected ${what}, found ${issue.received}`;
}
