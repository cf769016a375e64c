import { ConfigError } from '../support/errors.js';

/** The part of Standard Schema (standardschema.dev, version 1) that is used here: what valibot, zod and arktype all offer. */
export interface Schema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}

type SchemaResult<Output> = { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly SchemaIssue[] };

interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** One key of a configuration table: how it is validated, and a line for people, with unit and meaning. */
export interface OptionSpec<Output = unknown> {
  readonly schema: Schema<Output>;
  readonly description: string;
  /** Whether it has to be given although its schema has a default: what is missing is said by who needs it. */
  readonly needed?: true | undefined;
}

/** All keys of one configuration table, by the values that they validate to. */
export type OptionTable<Values> = { readonly [Key in keyof Values]-?: OptionSpec<Values[Key]> };

/** One key of a table. A default is the schema's answer to `undefined`. */
export function option<Output>(schema: Schema<Output>, description: string, { needed }: { needed?: true } = {}): OptionSpec<Output> {
  return { schema, description, needed };
}

/**
 * A validated table. `where` starts each message: the file, and the table's name in brackets. `others` is what is allowed there as
 * well, and validated elsewhere; `former` are keys of before, with what takes their place.
 * @throws ConfigError naming the key, what was found and what is allowed
 */
export function parseOptions<Values extends object>(
  table: OptionTable<Values>,
  given: unknown,
  where: string,
  others: readonly string[] = [],
  former: Readonly<Record<string, string>> = {},
): Values {
  if (!isTable(given)) throw new ConfigError(`${where}: expected a table of options, found ${kindOf(given)}`);
  for (const key of Object.keys(given)) {
    // The value isn't shown: it may be a secret under a mistyped key.
    if (Object.hasOwn(former, key)) throw new ConfigError(`${where}: ${key} is gone; set ${former[key]}`);
    if (!Object.hasOwn(table, key)) {
      throw new ConfigError(`${where}: unknown key "${key}"; allowed are ${[...Object.keys(table), ...others].join(', ')}`);
    }
  }
  const values: [string, unknown][] = [];
  for (const [key, { schema }] of Object.entries<OptionSpec>(table)) {
    const result = schema['~standard'].validate(Object.hasOwn(given, key) ? given[key] : undefined);
    if (result instanceof Promise) throw new ConfigError(`${where}: ${key}: its schema is asynchronous, which options can't be`);
    if (result.issues) throw new ConfigError(`${where}: ${describeIssue(key, result.issues[0])}`);
    values.push([key, result.value]);
  }
  return Object.fromEntries(values) as Values;
}

/** What an option is when it isn't given; `undefined` where it has no default. */
export function defaultOf({ schema }: OptionSpec): unknown {
  // valibot keeps it as it would be written in the file: "3s", not 3000.
  if ('default' in schema) return schema.default;
  const result = schema['~standard'].validate(undefined);
  return result instanceof Promise || result.issues ? undefined : result.value;
}

/** Whether an option has to be given: by its own word, or because it has no default. */
export function isNeeded(spec: OptionSpec): boolean {
  return spec.needed === true || defaultOf(spec) === undefined;
}

/** What a value of the configuration is, in the words of messages. */
export function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Date) return 'a date';
  return isTable(value) ? 'a table' : typeof value === 'string' ? 'a text' : `a ${typeof value}`;
}

export function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function describeIssue(key: string, issue: SchemaIssue | undefined): string {
  const path = (issue?.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part));
  return `${[key, ...path].join('.')}: ${issue?.message ?? 'not valid'}`;
}
