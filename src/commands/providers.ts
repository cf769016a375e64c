import type { Invocation } from '../args.js';
import { optionSchema } from '../config/json-schema.js';
import { DEFAULT_CONFIG_FILE } from '../config/load.js';
import { defaultOf, isNeeded, type OptionSpec } from '../config/options.js';
import { BUILT_IN, loadProvider } from '../providers/registry.js';
import { EXIT, explain, UsageError } from '../support/errors.js';
import { printableJson } from '../support/text.js';
import { paintFor, terminalWidth } from '../terminal/paint.js';
import { type Cell, formatTable, type Paint, wrap } from '../terminal/table.js';

/** How wide a table is where nobody says how wide the terminal is. */
const WIDTH = 80;

/**
 * Lists the built-in providers with their options, or prints the JSON Schema of the configuration.
 * @throws UsageError
 */
export async function providers({ options, operands }: Invocation): Promise<number> {
  if (operands[0] !== undefined) throw new UsageError(`providers takes no operand, found "${operands[0]}"; try: acl-groups --help`);
  if (options.schema) {
    const { configSchema } = await import('./config-schema.js');
    process.stdout.write(`${JSON.stringify(await configSchema(), undefined, 2)}\n`);
    return EXIT.ok;
  }
  const listed = await Promise.all(Object.keys(BUILT_IN).map(describe));
  if (options.json) process.stdout.write(listed.map((one) => `${printableJson(one)}\n`).join(''));
  else {
    const paint = await paintFor(process.stdout);
    const width = terminalWidth(process.stdout) ?? WIDTH;
    process.stdout.write(listed.map((one) => formatProvider(one, paint, width)).join('\n'));
  }
  return EXIT.ok;
}

interface Listed {
  readonly name: string;
  readonly installed: boolean;
  readonly description: string;
  readonly options: readonly ListedOption[];
}

interface ListedOption {
  readonly name: string;
  readonly default: unknown;
  readonly needed: boolean;
  /** The values that it can have, if they are few. */
  readonly allowed?: readonly unknown[] | undefined;
  readonly description: string;
}

async function describe(name: string): Promise<Listed> {
  try {
    const definition = await loadProvider(name, DEFAULT_CONFIG_FILE);
    const options = Object.entries(definition.options).map(([key, spec]) => ({
      name: key,
      default: defaultOf(spec) ?? null,
      needed: isNeeded(spec),
      allowed: allowedBy(spec),
      description: spec.description,
    }));
    return { name, installed: true, description: definition.description, options };
  } catch (error) {
    return { name, installed: false, description: explain(error), options: [] };
  }
}

function allowedBy(spec: OptionSpec): readonly unknown[] | undefined {
  const { enum: words } = optionSchema(spec);
  return Array.isArray(words) ? words : undefined;
}

/** Defaults are shown as the file has them, to be copied. */
function formatProvider({ name, installed, description, options }: Listed, paint: Paint, width: number): string {
  const rows = options.map((listed): readonly Cell[] => [
    [listed.name, 'bold'],
    listed.needed ? ['(required)', 'yellow'] : [JSON.stringify(listed.default), 'cyan'],
    meaning(listed),
  ]);
  const titles: readonly Cell[] = ['option', 'default', 'meaning'].map((title) => [title, 'dim'] as const);
  const head = `${paint('bold', `[provider.${name}]`)}${installed ? '' : ' (not installed)'}\n`;
  return (
    head +
    wrap(description, width, { first: '  ', rest: '  ' }) +
    (rows.length === 0 ? '' : `\n${formatTable([titles, ...rows], paint, width)}`)
  );
}

/** What an option is for, and the words that it can have, unless the description has them all. */
function meaning({ description, allowed = [] }: ListedOption): string {
  const words = allowed.map((word) => JSON.stringify(word));
  return words.every((word) => description.includes(word)) ? description : `${description}; one of ${words.join(', ')}`;
}
