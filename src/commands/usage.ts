import { COMMANDS, type CommandName, OPTIONS, type OptionForm, type OptionName } from '../args.js';
import { wrap } from '../terminal/table.js';

/** How wide help is: what every terminal has. */
const WIDTH = 80;

/** The usage line of a command, from its options: `lookup [-jv] [-p names] … user...`. */
export function usageOf(name: CommandName): string {
  const { options, operands } = COMMANDS[name];
  // Only help itself is shown to have -h: the others' usage would be longer by it, and no clearer.
  const shown = options.filter((option) => option !== 'help' || name === 'help');
  const flags = shown.filter((option) => OPTIONS[option].argument === undefined && OPTIONS[option].letter !== undefined);
  const letters = flags.map((option) => OPTIONS[option].letter).join('');
  const single = name === 'help' || name === 'version';
  const words = [
    ...(letters === '' ? [] : [single ? `-${letters}` : `[-${letters}]`]),
    ...shown
      .filter((option) => !flags.includes(option))
      .map((option) => `[${spelling(option, OPTIONS[option])}]${option === 'acl' ? '...' : ''}`),
    ...(operands === undefined ? [] : [operands]),
  ];
  const word = name === 'exec' || single ? [] : [name];
  return ['acl-groups', ...word, ...words].join(' ');
}

/** The shortest spelling of an option, with its argument's name. */
function spelling(name: OptionName, { letter, argument }: OptionForm): string {
  return `${letter === undefined ? `--${name}` : `-${letter}`}${argument === undefined ? '' : ` ${argument}`}`;
}

/** Every option that some command takes: both spellings, the argument's name and the description. */
export function usedOptions(): readonly (readonly [name: OptionName, form: OptionForm])[] {
  const used = new Set<string>(Object.values(COMMANDS).flatMap(({ options }) => options));
  return (Object.entries(OPTIONS) as [OptionName, OptionForm][]).filter(([name]) => used.has(name));
}

/** What `--help` prints: commands and options, within 80 columns. */
export function formatHelp(): string {
  const names = Object.keys(COMMANDS) as CommandName[];
  const usages = names.map((name) => wrap(usageOf(name), WIDTH, { first: '  ', rest: '      ' }));
  const commands = names
    .filter((name) => name !== 'help' && name !== 'version')
    .map((name) => [name === 'exec' ? '(program)' : name, COMMANDS[name].description] as const);
  const options = usedOptions().map(
    ([name, form]) =>
      [
        `${form.letter === undefined ? '    ' : `-${form.letter}, `}--${name}${form.argument === undefined ? '' : ` ${form.argument}`}`,
        form.description,
      ] as const,
  );
  return `Usage:
${usages.join('')}
Gives Dovecot's ACLs the groups of users.

Commands:
${list(commands)}
Options:
${list(options)}
Manual pages: acl-groups(1), acl-groups.toml(5), acl-groups-dovecot(7).
`;
}

function list(items: readonly (readonly [term: string, description: string])[]): string {
  const width = Math.max(...items.map(([term]) => term.length)) + 4;
  return items
    .map(([term, description]) => wrap(description, WIDTH, { first: `  ${term}`.padEnd(width), rest: ' '.repeat(width) }))
    .join('');
}
