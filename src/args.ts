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
  readonly help?: true;
}

export type CommandName = 'exec' | 'lookup' | 'serve' | 'providers' | 'help' | 'version';

/** What the command line asks for. */
export interface Invocation {
  readonly command: CommandName;
  readonly options: Options;
  /** All words of the command, options included. */
  readonly words: readonly string[];
  /** The words after the options: users, or a program and its arguments. */
  readonly operands: readonly string[];
}

/** Every option by its letter: long form, whether it takes an argument. */
const OPTIONS = {
  p: { long: 'providers', argument: true },
  c: { long: 'config', argument: true },
  D: { long: 'dovecot', argument: true },
  j: { long: 'json', argument: false },
  v: { long: 'verbose', argument: false },
  s: { long: 'socket', argument: true },
  l: { long: 'listen', argument: true },
  m: { long: 'mode', argument: true },
  C: { long: 'cache-dir', argument: true },
  h: { long: 'help', argument: false },
} as const;

type Letter = keyof typeof OPTIONS;

/** The option letters that each command takes. */
const COMMANDS: Readonly<Record<CommandName, string>> = {
  exec: 'pcDC',
  lookup: 'jvpcDsh',
  serve: 'pcDlmh',
  providers: 'jh',
  help: '',
  version: '',
};

/** The words that name a command when they come first. The launcher has the same list: everything else is exec mode. */
const FIRST_WORDS: Readonly<Record<string, CommandName>> = {
  lookup: 'lookup',
  serve: 'serve',
  providers: 'providers',
  '-h': 'help',
  '--help': 'help',
  '-V': 'version',
  '--version': 'version',
};

/**
 * Parses a command line by POSIX's utility syntax guidelines: options end at the first operand, so a program's own options
 * are its own. A program called like a command is reached with `--`.
 * @throws UsageError
 */
export function parseArguments(argv: readonly string[]): Invocation {
  const [first = ''] = argv;
  const command = (Object.hasOwn(FIRST_WORDS, first) ? FIRST_WORDS[first] : undefined) ?? 'exec';
  const words = command === 'exec' ? argv : argv.slice(1);
  const allowed = COMMANDS[command];
  const parser = new getopt.BasicParser(optionString(allowed), [...words], 0);
  const options: { -readonly [Key in keyof Options]: Options[Key] } = {};
  for (let found = next(parser); found !== undefined; found = next(parser)) {
    // The parser stays silent because of the leading colon, and says by these two what is wrong.
    if (found.option === '?') throw new UsageError(`unknown option "${found.optopt}"; try: acl-groups --help`);
    if (found.option === ':') throw new UsageError(`option "${found.optopt}" needs an argument; try: acl-groups --help`);
    setOption(options, found.option as Letter, found.optarg ?? '');
  }
  return { command: options.help ? 'help' : command, options, words, operands: words.slice(parser.optind()) };
}

function next(parser: getopt.BasicParser): getopt.Option | undefined {
  try {
    return parser.getopt();
  } catch (error) {
    // It looks options up with `in`, so --constructor trips an assertion of its own.
    throw new UsageError('unknown option; try: acl-groups --help', { cause: error });
  }
}

function optionString(letters: string): string {
  return `:${[...letters].map((letter) => `${letter + (OPTIONS[letter as Letter].argument ? ':' : '')}(${OPTIONS[letter as Letter].long})`).join('')}`;
}

function setOption(options: { -readonly [Key in keyof Options]: Options[Key] }, letter: Letter, argument: string): void {
  const { long } = OPTIONS[letter];
  switch (long) {
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
      if (argument === '') throw new UsageError(`--${long}: expected a path, found an empty argument`);
      options[long] = argument;
      break;
    case 'cache-dir':
      if (!argument.startsWith('/')) throw new UsageError(`--cache-dir: expected a full path, found "${argument}"`);
      options.cacheDir = argument;
      break;
    default:
      options[long] = true;
  }
}
