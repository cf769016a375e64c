import * as v from 'valibot';
import { isTable, kindOf, type Schema } from './options.js';

/** Building blocks for option tables. Each states its default, so that documentation and code can't differ. */

/**
 * An option with a default. Its schema is made when there is a value to validate: exec mode starts a Node.js for each login, mostly without
 * a configuration file, and making and asking two dozen schemas takes a fair part of the time that our own code has there.
 */
class Optional<Output> implements Schema<Output> {
  /** As it would be written in the file: "3s", not 3000. */
  readonly default: unknown;
  readonly '~standard': Schema<Output>['~standard'];
  readonly #make: () => Schema<Output>;

  /** `meant` gives what the schema makes of the default. */
  constructor(standard: unknown, meant: () => Output, make: () => Schema<Output>) {
    this.default = standard;
    this.#make = make;
    this['~standard'] = {
      version: 1,
      vendor: 'valibot',
      validate: (value) => (value === undefined ? { value: meant() } : this.#make()['~standard'].validate(value)),
    };
  }

  /** The whole as a schema of valibot. */
  get whole(): v.GenericSchema {
    return v.optional(this.#make() as unknown as v.GenericSchema, this.default);
  }
}

/** What valibot's own tools take for a schema made here. */
export function valibotSchema(schema: Schema): v.GenericSchema {
  return schema instanceof Optional ? schema.whole : (schema as unknown as v.GenericSchema);
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
/** What setTimeout can take: about 24 days. */
const LONGEST = 2 ** 31 - 1;

/** A duration such as "500ms", "3s", "5m" or "1h", at least as long as `least`; the value is in milliseconds. */
export function duration(standard: string, least = '0s'): Schema<number> {
  return new Optional(
    standard,
    () => inUnits(standard, UNITS),
    () =>
      v.pipe(
        v.string((issue) => durationMessage(issue)),
        v.regex(/^\d{1,9}(ms|s|m|h)$/, (issue) => durationMessage(issue)),
        v.transform((text) => inUnits(text, UNITS)),
        v.minValue(inUnits(least, UNITS), `expected a duration of "${least}" at least`),
        v.maxValue(LONGEST, 'expected a duration of 24 days at most'),
      ),
  );
}

function durationMessage(issue: Received): string {
  return `expected a duration such as "500ms", "3s" or "5m", found ${found(issue)}`;
}

const SIZE_UNITS: Readonly<Record<string, number>> = { K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

/** A size such as "4K", "64M" or "1G", in powers of 1024, within bounds; the value is in bytes. */
export function size(standard: string, least: string, most: string): Schema<number> {
  const message = expected(`a size from "${least}" to "${most}", such as "${standard}"`);
  return new Optional(
    standard,
    () => inUnits(standard, SIZE_UNITS),
    () =>
      v.pipe(
        v.string(message),
        v.regex(/^\d{1,9}[KMG]$/, message),
        // The text, and not the number, is what messages show.
        v.check((text) => {
          const bytes = inUnits(text, SIZE_UNITS);
          return bytes >= inUnits(least, SIZE_UNITS) && bytes <= inUnits(most, SIZE_UNITS);
        }, message),
        v.transform((text) => inUnits(text, SIZE_UNITS)),
      ),
  );
}

/** A number with its unit behind it, times what the unit stands for. */
function inUnits(text: string, units: Readonly<Record<string, number>>): number {
  const [, number = '', unit = ''] = /^(\d+)(\D+)$/.exec(text) ?? [];
  return Number(number) * (units[unit] ?? 0);
}

/** One of a few words. */
export function oneOf<const Words extends readonly string[]>(words: Words, standard: Words[number]): Schema<Words[number]> {
  const allowed = (): string => words.map((word) => `"${word}"`).join(', ');
  return new Optional(
    standard,
    () => standard,
    () => v.picklist(words, (issue) => `expected one of ${allowed()}, found ${found(issue)}`),
  );
}

/** A text; with no default, an option that may be left out has the empty text. */
export function text(standard = ''): Schema<string> {
  return new Optional(
    standard,
    () => standard,
    () => v.string(expected('a text')),
  );
}

/** A path that has to be given. */
export function path(): Schema<string> {
  return v.pipe(
    v.string((issue) => (issue.input === undefined ? 'missing; give a path' : `expected a path, found ${found(issue)}`)),
    v.nonEmpty('expected a path, found ""'),
  );
}

export function flag(standard: boolean): Schema<boolean> {
  return new Optional(
    standard,
    () => standard,
    () => v.boolean(expected('true or false')),
  );
}

/** A whole number within bounds. */
export function integer(standard: number, least: number, most: number): Schema<number> {
  const range = `a whole number from ${least} to ${most}`;
  return new Optional(
    standard,
    () => standard,
    () =>
      v.pipe(v.number(expected(range)), v.integer(expected(range)), v.minValue(least, expected(range)), v.maxValue(most, expected(range))),
  );
}

/** A list of texts, none of them empty, with at least so many of them. */
export function texts(standard: readonly string[] = [], least = 0): Schema<readonly string[]> {
  return new Optional<readonly string[]>(
    standard,
    () => [...standard],
    () => {
      const item = v.pipe(v.string(expected('a text')), v.nonEmpty('expected a text that is not empty'));
      return v.pipe(v.array(item, expected('a list of texts')), v.minLength(least, `expected a list of ${least} at least, found none`));
    },
  );
}

/** A table from text to text, any text: names are data, `constructor` and `__proto__` as well. */
export function textMap(): Schema<ReadonlyMap<string, string>> {
  return new Optional<ReadonlyMap<string, string>>({}, () => new Map(), mapOfTexts);
}

function mapOfTexts(): Schema<ReadonlyMap<string, string>> {
  const value = v.pipe(v.string(expected('a text')), v.nonEmpty('expected a text that is not empty'));
  // Not by v.record(), which drops keys that every object has.
  const entries = v.rawTransform<object, ReadonlyMap<string, string>>(({ dataset, addIssue, NEVER }) => {
    const map = new Map<string, string>();
    for (const [key, text] of Object.entries(dataset.value)) {
      const result = v.safeParse(value, text);
      if (!result.success) {
        const message = result.issues[0].message;
        addIssue({ message, path: [{ type: 'object', origin: 'value', input: { [key]: text }, key, value: text }] });
        return NEVER;
      }
      map.set(key, result.output);
    }
    return map;
  });
  return v.pipe(v.custom<object>(isTable, expected('a table of texts')), entries);
}

function expected(what: string): (issue: Received) => string {
  return (issue) => `expected ${what}, found ${found(issue)}`;
}

/** What valibot says of a value that doesn't fit. */
interface Received {
  readonly input: unknown;
  readonly received: string;
}

/** The value as messages show it. valibot has the names of classes for what isn't a text or a number. */
function found({ input, received }: Received): string {
  return typeof input === 'object' && input !== null ? kindOf(input) : received;
}
