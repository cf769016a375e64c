import getopt from 'posix-getopt';
import { UsageError } from './support/errors.js';

/** The options of a command, after parsing. */
export interface Options {
  readonly providers?: readonly string[];
  readonly config?: string;
  readonly dovecot?: '2.3' | '2.4';
  readonly json?: true;
  readonly verbose?: true;
  readonly socket?: string;
  readonly listen?: string;
  /** The permission bits of the socket that `listen` names. */
  readonly mode?: number;
  /** Where exec mode keeps answers for the launcher. */
  readonly cacheDir?: string;
  /** `check`: the dovecot.conf to look at. */
  readonly dovecotConfig?: string;
  /** `check`: mail directories and global ACL files to look at. */
  readonly acl?: readonly string[];
  readonly schema?: true;
  readonly help?: true;
}

/** What an option's argument is, for the parser and for shells that complete it. */
export type ArgumentKind = 'providers' | 'version' | 'mode' | 'file' | 'directory' | 'socket';

/** One option: help, manual pages and completions are made of this. */
export interface OptionForm {
  /** The short form. Options without one are reached by their long form alone. */
  readonly letter?: string;
  /** What the usage calls its argument; without one it takes none. */
  readonly argument?: string;
  readonly kind?: ArgumentKind;
  readonly description: string;
}

export type OptionName =
  | 'providers'
  | 'config'
  | 'dovecot'
  | 'cache-dir'
  | 'json'
  | 'verbose'
  | 'socket'
  | 'listen'
  | 'mode'
  | 'dovecot-config'
  | 'acl'
  | 'schema'
  | 'help'
  | 'version';

/** Every option by its long form, in the order in which people are shown them. */
export const OPTIONS: Readonly<Record<OptionName, OptionForm>> = {
  providers: {
    letter: 'p',
    argument: 'names',
    kind: 'providers',
    description: 'providers to ask, separated by commas, instead of those configured',
  },
  config: { letter: 'c', argument: 'file', kind: 'file', description: 'configuration file (default: /etc/acl-groups.toml)' },
  dovecot: {
    letter: 'D',
    argument: 'version',
    kind: 'version',
    description: 'Dovecot version whose syntax the value is written in: 2.3 or 2.4',
  },
  'cache-dir': {
    letter: 'C',
    argument: 'dir',
    kind: 'directory',
    description: 'directory of answers from which the next login of a user is answered without starting Node.js',
  },
  json: { letter: 'j', description: 'output for programs: one JSON object a line' },
  verbose: { letter: 'v', description: 'also show what the providers did' },
  socket: { letter: 's', argument: 'path', kind: 'socket', description: 'socket of a running service to ask' },
  listen: { letter: 'l', argument: 'path', kind: 'socket', description: 'socket to create, where neither Dovecot nor systemd passes one' },
  mode: { letter: 'm', argument: 'mode', kind: 'mode', description: 'permissions of that socket (default: 600)' },
  'dovecot-config': {
    letter: 'd',
    argument: 'file',
    kind: 'file',
    description: "Dovecot's configuration file (default: that of the running Dovecot)",
  },
  acl: { argument: 'path', kind: 'file', description: 'mail directory or global ACL file to look at; may be given more than once' },
  schema: { description: 'print the JSON Schema of the configuration file' },
  help: { letter: 'h', description: 'show a summary of commands and options' },
  version: { letter: 'V', description: 'show the version' },
};

/** One command: its options in the order of the usage line, what follows them, and what it does. */
export interface CommandForm {
  readonly options: readonly OptionName[];
  readonly operands?: string;
  readonly description: string;
}

export type CommandName = 'exec' | 'lookup' | 'serve' | 'check' | 'status' | 'providers' | 'help' | 'version';

/** Every command. Those called by an option (`help`, `version`) and exec mode have no word of their own. */
export const COMMANDS: Readonly<Record<CommandName, CommandForm>> = {
  exec: {
    options: ['providers', 'config', 'dovecot', 'cache-dir'],
    operands: '[--] program [argument...]',
    description: 'look up USER, set ACL_GROUPS, and execute program (for script-login)',
  },
  lookup: {
    options: ['json', 'verbose', 'providers', 'config', 'dovecot', 'socket', 'help'],
    operands: 'user...',
    description: "show users' groups, where they come from, and the value for Dovecot",
  },
  serve: {
    options: ['providers', 'config', 'dovecot', 'listen', 'mode', 'help'],
    description: 'run the service',
  },
  check: {
    options: ['json', 'config', 'dovecot-config', 'socket', 'acl', 'help'],
    operands: '[user]',
    description: 'look at this machine, and say what would go wrong and how to fix it',
  },
  status: {
    options: ['json', 'socket', 'help'],
    description: 'show what a running service has done',
  },
  providers: {
    options: ['json', 'schema', 'help'],
    description: 'list the providers and their options',
  },
  help: { options: ['help'], description: 'show a summary of commands and options' },
  version: { options: ['version'], description: 'show the version' },
};

/** What the command line asks for. */
export interface Invocation {
  readonly command: CommandName;
  readonly options: Options;
  /** All words of the command, options included. */
  readonly words: readonly string[];
  /** The words after the options: users, or a program and its arguments. */
  readonly operands: readonly string[];
}

/** The commands that a first word names. The launcher has the same list: everything else is exec mode. */
export const COMMAND_WORDS: readonly CommandName[] = (Object.keys(COMMANDS) as CommandName[]).filter(
  (name) => name !== 'exec' && name !== 'help' && name !== 'version',
);

/** The options that are commands when they come first. */
const COMMAND_OPTIONS: Readonly<Record<string, CommandName>> = { '-h': 'help', '--help': 'help', '-V': 'version', '--version': 'version' };

/**
 * Parses a command line by POSIX's utility syntax guidelines: options end at the first operand, so a program's own options
 * are its own. A program called like a command is reached with `--`.
 * @throws UsageError
 */
export function parseArguments(argv: readonly string[]): Invocation {
  const [first = ''] = argv;
  const command = commandOf(first);
  const words = command === 'exec' ? argv : argv.slice(1);
  const byLetter = new Map(COMMANDS[command].options.map((name) => [letterOf(name), name]));
  const parser = new getopt.BasicParser(optionString(byLetter), [...words], 0);
  const options: Mutable = {};
  for (let found = next(parser); found !== undefined; found = next(parser)) {
    // The parser stays silent because of the leading colon, and says by these two what is wrong.
    const name = byLetter.get(found.option);
    if (name !== undefined) setOption(options, name, found.optarg ?? '');
    else if (found.option === ':') throw new UsageError(`option "${shown(found.optopt, byLetter)}" needs an argument; ${HELP}`);
    else throw new UsageError(`unknown option "${found.optopt}"; ${HELP}`);
  }
  return { command: options.help ? 'help' : command, options, words, operands: words.slice(parser.optind()) };
}

const HELP = 'try: acl-groups --help';

function commandOf(first: string): CommandName {
  const byOption = Object.hasOwn(COMMAND_OPTIONS, first) ? COMMAND_OPTIONS[first] : undefined;
  return byOption ?? COMMAND_WORDS.find((word) => word === first) ?? 'exec';
}

function next(parser: getopt.BasicParser): getopt.Option | undefined {
  try {
    return parser.getopt();
  } catch (error) {
    // It looks options up with `in`, so --constructor trips an assertion of its own.
    throw new UsageError(`unknown option; ${HELP}`, { cause: error });
  }
}

/** The letter that the parser knows an option by. Those that have none get one that nobody types, which posix-getopt has a range for. */
function letterOf(name: OptionName): string {
  return OPTIONS[name].letter ?? String.fromCharCode(0x1000 + Object.keys(OPTIONS).indexOf(name));
}

function optionString(byLetter: ReadonlyMap<string, OptionName>): string {
  return `:${[...byLetter].map(([letter, name]) => `${letter}${OPTIONS[name].argument === undefined ? '' : ':'}(${name})`).join('')}`;
}

/** An option as messages name it: never by a letter that nobody types. */
function shown(letter: string | undefined, byLetter: ReadonlyMap<string, OptionName>): string {
  const name = byLetter.get(letter ?? '');
  return name !== undefined && OPTIONS[name].letter === undefined ? name : (letter ?? '');
}

type Mutable = { -readonly [Key in keyof Options]: Options[Key] };

function setOption(options: Mutable, name: OptionName, argument: string): void {
  switch (name) {
    case 'providers':
      options.providers = argument.split(',').map((name) => name.trim());
      if (options.providers.includes('')) throw new UsageError(`--providers: expected names separated by commas, found "${argument}"`);
      break;
    case 'dovecot':
      if (argument !== '2.3' && argument !== '2.4') throw new UsageError(`--dovecot: expected 2.3 or 2.4, found "${argument}"`);
      options.dovecot = argument;
      break;
    case 'mode':
      if (!/^0?[0-7]{3}$/.test(argument)) throw new UsageError(`--mode: expected three octal digits such as 600, found "${argument}"`);
      options.mode = Number.parseInt(argument, 8);
      break;
    case 'config':
    case 'socket':
    case 'listen':
      options[name] = path(name, argument);
      break;
    case 'dovecot-config':
      options.dovecotConfig = path(name, argument);
      break;
    case 'acl':
      options.acl = [...(options.acl ?? []), path(name, argument)];
      break;
    case 'cache-dir':
      if (!argument.startsWith('/')) throw new UsageError(`--cache-dir: expected a full path, found "${argument}"`);
      options.cacheDir = argument;
      break;
    case 'version':
      break;
    default:
      options[name] = true;
  }
}

function path(name: OptionName, argument: string): string {
  if (argument === '') throw new UsageError(`--${name}: expected a path, found an empty argument`);
  return argument;
}
