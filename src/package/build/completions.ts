import { type ArgumentKind, COMMAND_WORDS, COMMANDS, type CommandName, OPTIONS, type OptionName } from '../../args.js';
import { BUILT_IN } from '../../providers/registry.js';

/** The completion of each shell, by the file name that the shell looks for. */
export function completions(): Readonly<Record<string, string>> {
  return { 'acl-groups.bash': bash(), '_acl-groups': zsh(), 'acl-groups.fish': fish() };
}

const PROVIDERS = Object.keys(BUILT_IN).join(' ');

/** The options of a command: what they are spelled like, and how their argument is completed. */
function formsOf(command: CommandName): readonly { name: OptionName; spellings: readonly string[]; kind: ArgumentKind | undefined }[] {
  return COMMANDS[command].options.map((name) => {
    const { letter, kind } = OPTIONS[name];
    return { name, spellings: [...(letter === undefined ? [] : [`-${letter}`]), `--${name}`], kind };
  });
}

/** What can follow `acl-groups`: commands, the options of exec mode, help and version. */
const FIRST = ['exec', 'help', 'version'] as const;

const BASH_ARGUMENTS: Readonly<Record<ArgumentKind, string>> = {
  providers: `_acl_groups_list ${PROVIDERS}`,
  version: 'mapfile -t COMPREPLY < <(compgen -W \'2.3 2.4\' -- "$word")',
  mode: 'mapfile -t COMPREPLY < <(compgen -W \'600 660 666\' -- "$word")',
  file: 'mapfile -t COMPREPLY < <(compgen -f -- "$word"); compopt -o filenames',
  socket: 'mapfile -t COMPREPLY < <(compgen -f -- "$word"); compopt -o filenames',
  directory: 'mapfile -t COMPREPLY < <(compgen -d -- "$word"); compopt -o filenames',
};

function bash(): string {
  const kinds = new Map<ArgumentKind, string[]>();
  for (const [name, { letter, kind }] of Object.entries(OPTIONS)) {
    if (kind === undefined) continue;
    kinds.set(kind, [...(kinds.get(kind) ?? []), `--${name}`, ...(letter === undefined ? [] : [`-${letter}`])]);
  }
  const spellings = (commands: readonly CommandName[]): string =>
    commands
      .flatMap(formsOf)
      .flatMap((form) => form.spellings)
      .join(' ');
  return `# bash completion for acl-groups

# Names separated by commas: the last one is completed.
_acl_groups_list() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=''
  [[ $word != *,* ]] || before=\${word%,*},
  mapfile -t COMPREPLY < <(compgen -P "$before" -W "$*" -- "\${word##*,}")
  compopt -o nospace
}

_acl_groups() {
  local word=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]} options
  COMPREPLY=()
  case $previous in
${[...kinds].map(([kind, names]) => `  ${names.join(' | ')}) ${BASH_ARGUMENTS[kind]}; return ;;`).join('\n')}
  esac
  case $command in
${COMMAND_WORDS.map((name) => `  ${name}) options='${spellings([name])}' ;;`).join('\n')}
  *) options='${spellings(FIRST)}' command= ;;
  esac
  if [[ $word = -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
  elif ((COMP_CWORD == 1)); then
    mapfile -t COMPREPLY < <(compgen -W '${COMMAND_WORDS.join(' ')}' -- "$word")
  elif [[ -z $command ]]; then
    mapfile -t COMPREPLY < <(compgen -c -- "$word")
  else
    case $command in
    ${COMMAND_WORDS.filter(takesUsers).join(' | ')}) mapfile -t COMPREPLY < <(compgen -u -- "$word") ;;
    esac
  fi
}
complete -F _acl_groups acl-groups
`;
}

function takesUsers(name: CommandName): boolean {
  return COMMANDS[name].operands?.includes('user') === true;
}

const ZSH_ARGUMENTS: Readonly<Record<ArgumentKind, string>> = {
  providers: `_values -s , provider ${PROVIDERS}`,
  version: '(2.3 2.4)',
  mode: '(600 660 666)',
  file: '_files',
  socket: '_files',
  directory: '_directories',
};

function zsh(): string {
  const spec = (command: CommandName): readonly string[] =>
    formsOf(command).map(({ name, spellings, kind }) => {
      const { description, argument } = OPTIONS[name];
      const repeated = name === 'acl' ? '*' : '';
      const text = description.replaceAll(/[[\]:]/g, '\\$&');
      const what = spellings.length > 1 ? `{${spellings.join(',')}}` : spellings.join('');
      const exclusive = repeated === '' && spellings.length > 1 ? `(${spellings.join(' ')})` : '';
      const value = kind === undefined ? '' : `:${argument}:${ZSH_ARGUMENTS[kind]}`;
      // Braces are expanded outside of quotes.
      return `${quote(`${repeated}${exclusive}`)}${what}${quote(`[${text}]${value}`)}`;
    });
  const block = (command: CommandName): string => {
    const operands = takesUsers(command) ? [quote('*:user:_users')] : [];
    return [...spec(command), ...operands].map((line) => `      ${line}`).join(' \\\n');
  };
  return `#compdef acl-groups

# Not "commands": that is zsh's own table of programs.
local -a subcommands
subcommands=(
${COMMAND_WORDS.map((name) => `  ${quote(`${name}:${COMMANDS[name].description}`)}`).join('\n')}
)
local command=$words[2]
if (( $+subcommands[(r)$command:*] )) && (( CURRENT > 2 )); then
  shift words
  (( CURRENT-- ))
  case $command in
${COMMAND_WORDS.map((name) => `  ${name})\n    _arguments -s -S \\\n${block(name)}\n    ;;`).join('\n')}
  esac
else
  _arguments -s -S \\
${[...new Set(FIRST.flatMap(spec))].map((line) => `    ${line} \\`).join('\n')}
    '1: :{ _describe -t commands command subcommands || _command_names -e }' \\
    '*:: :_normal'
fi
`;
}

function fish(): string {
  const lines = ['# fish completion for acl-groups', '', 'complete -c acl-groups -f', ''];
  const arguments_: Readonly<Record<ArgumentKind, string>> = {
    providers: `-x -a '(__fish_append , ${PROVIDERS})'`,
    version: "-x -a '2.3 2.4'",
    mode: "-x -a '600 660 666'",
    file: '-r -F',
    socket: '-r -F',
    directory: "-x -a '(__fish_complete_directories)'",
  };
  const option = (condition: string, name: OptionName): string => {
    const { letter, kind, description } = OPTIONS[name];
    const short = letter === undefined ? '' : ` -s ${letter}`;
    return `complete -c acl-groups -n ${quote(condition)}${short} -l ${name}${kind === undefined ? '' : ` ${arguments_[kind]}`} -d ${fishQuote(description)}`;
  };
  for (const name of COMMAND_WORDS) {
    lines.push(`complete -c acl-groups -n __fish_is_first_token -a ${name} -d ${fishQuote(COMMANDS[name].description)}`);
  }
  lines.push('');
  for (const name of new Set(FIRST.flatMap((command) => COMMANDS[command].options))) lines.push(option('__fish_is_first_token', name));
  for (const command of COMMAND_WORDS) {
    const condition = `__fish_seen_subcommand_from ${command}`;
    lines.push('', ...COMMANDS[command].options.map((name) => option(condition, name)));
    if (takesUsers(command)) lines.push(`complete -c acl-groups -n ${quote(condition)} -a '(__fish_complete_users)'`);
  }
  return `${lines.join('\n')}\n`;
}

function quote(text: string): string {
  return text === '' ? '' : `'${text.replaceAll("'", "'\\''")}'`;
}

/** fish knows backslashes inside single quotes. */
function fishQuote(text: string): string {
  return `'${text.replaceAll(/['\\]/g, '\\$&')}'`;
}
