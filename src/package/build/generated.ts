import { COMMANDS, type CommandName, type OPTIONS, type OptionForm } from '../../args.js';
import { usageOf, usedOptions } from '../../commands/usage.js';
import { optionSchema } from '../../config/json-schema.js';
import { CONFIG_TABLES } from '../../config/load.js';
import { defaultOf, isNeeded, type OptionSpec } from '../../config/options.js';
import { BUILT_IN } from '../../providers/registry.js';
import { EXIT, EXIT_MEANINGS } from '../../support/errors.js';

/**
 * What the program knows about itself, as Markdown by name: `synopsis`, `options`, `exit-statuses`, `keys` of each table of the
 * configuration (`keys main`, `keys groups`, …) and of each built-in provider (`keys provider.ldap`).
 */
export async function generatedTexts(): Promise<ReadonlyMap<string, string>> {
  const tables = Object.entries(CONFIG_TABLES).map(([name, table]) => [`keys ${name || 'main'}`, keys(table)] as const);
  const providers = await Promise.all(
    Object.entries(BUILT_IN).map(async ([name, load]) => {
      const { options } = await load();
      return [`keys provider.${name}`, keys(options as Readonly<Record<string, OptionSpec>>)] as const;
    }),
  );
  return new Map([['synopsis', synopsis()], ['options', options()], ['exit-statuses', exitStatuses()], ...tables, ...providers]);
}

/** `<!-- generated: NAME -->` and `<!-- end -->`, with the text between them. */
const BLOCK = /<!-- generated: ([\w. -]+?) -->\n(?:(?:(?!<!--)[\s\S])*?<!-- end -->)?\n*/g;

/**
 * A manual's text with what is between its marks written anew.
 * @throws Error for a mark whose name is unknown
 */
export function fillIn(text: string, generated: ReadonlyMap<string, string>): string {
  return text
    .replace(BLOCK, (_, name: string) => {
      const found = generated.get(name);
      if (found === undefined) throw new Error(`no generated text is called "${name}"; there are ${[...generated.keys()].join(', ')}`);
      return `<!-- generated: ${name} -->\n\n${found}\n<!-- end -->\n\n`;
    })
    .replace(/\n+$/, '\n');
}

function synopsis(): string {
  const lines = (Object.keys(COMMANDS) as CommandName[]).map((name) =>
    usageOf(name)
      .replace(/^acl-groups( [a-z]+)?/, (words) => `**${words}**`)
      // Argument names and operands; the letters and words that are typed stay bold.
      .replace(/(^|[\s[])(--?[\w-]+)/g, '$1**$2**')
      .replace(/(?<=[\s[])(?!\*\*)(\w+)(?=[\]\s.]|$)/g, '_$1_')
      .replaceAll('[', '\\[')
      .replaceAll(']', '\\]'),
  );
  return `${lines.join('\\\n')}\n`;
}

function options(): string {
  const entries = usedOptions().map(
    ([name, form]) => `### ${optionTerm(name, form)}\n\n${`${sentence(form.description)} ${takenBy(name)}`.trim()}\n`,
  );
  return entries.join('\n');
}

function optionTerm(name: string, { letter, argument }: OptionForm): string {
  const forms = [...(letter === undefined ? [] : [`\`-${letter}\``]), `\`--${name}\``].join(', ');
  return argument === undefined ? forms : `${forms} _${argument}_`;
}

function takenBy(name: keyof typeof OPTIONS): string {
  const names = (Object.keys(COMMANDS) as CommandName[]).filter((command) => COMMANDS[command].options.includes(name));
  const words = names
    .filter((command) => command !== 'help' && command !== 'version')
    .map((c) => (c === 'exec' ? 'exec mode' : `\`${c}\``));
  return words.length === 0 || name === 'help' ? '' : `(${words.join(', ')})`;
}

function exitStatuses(): string {
  return Object.entries(EXIT)
    .map(([name, status]) => `- ${status}: ${EXIT_MEANINGS[name as keyof typeof EXIT]}\n`)
    .join('');
}

function keys(table: Readonly<Record<string, OptionSpec>>): string {
  return Object.entries(table)
    .map(([key, spec]) => {
      const value = isNeeded(spec) ? '(required)' : `= ${toml(defaultOf(spec))}`;
      const { enum: words } = optionSchema(spec);
      const allowed = Array.isArray(words) ? `\n\nAllowed: ${words.map((word) => `\`${toml(word)}\``).join(', ')}.` : '';
      return `### \`${key}${isNeeded(spec) ? '`' : ' '}${isNeeded(spec) ? ` ${value}` : `${value}\``}\n\n${sentence(spec.description)}${allowed}\n`;
    })
    .join('\n');
}

/** A default as the file has it. */
function toml(value: unknown): string {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? '{}' : JSON.stringify(value);
}

function sentence(text: string): string {
  return (
    `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`
      // Placeholders and patterns, which Markdown would take for its own marks.
      .replace(/(?<!`)(\{[a-z]+\}|\\|\*(?= is any))(?!`)/g, '`$1`')
  );
}
