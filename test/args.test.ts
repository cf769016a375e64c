import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { COMMAND_WORDS, COMMANDS, OPTIONS, parseArguments } from '../src/args.js';
import { UsageError } from '../src/support/errors.js';
import { PROJECT } from './support/project.js';

describe('parseArguments', () => {
  it("stops at the first operand, so that a program's options are its own", () => {
    const { command, options, operands } = parseArguments(['-p', 'unix,ldap', '/bin/prog', '-p', 'x', '--', 'y']);
    expect({ command, options, operands }).toEqual({
      command: 'exec',
      options: { providers: ['unix', 'ldap'] },
      operands: ['/bin/prog', '-p', 'x', '--', 'y'],
    });
  });

  it('reaches a program called like a command by --', () => {
    expect(parseArguments(['--', 'lookup', 'a'])).toMatchObject({ command: 'exec', operands: ['lookup', 'a'] });
    expect(parseArguments(['lookup', 'a'])).toMatchObject({ command: 'lookup', operands: ['a'] });
  });

  it.each([
    [['--constructor', 'x'], 'unknown option'],
    [['-x'], 'unknown option "x"'],
    [['lookup', '-c'], 'option "c" needs an argument'],
    [['-D', '2.2', 'x'], 'expected 2.3 or 2.4, found "2.2"'],
    [['-p', 'unix,,ldap', 'x'], 'expected names separated by commas, found "unix,,ldap"'],
    [['--config=', 'x'], 'expected a path, found an empty argument'],
    [['-j', 'x'], 'unknown option "j"'],
  ])('refuses %j', (argv, message) => {
    expect(() => parseArguments(argv)).toThrow(UsageError);
    expect(() => parseArguments(argv)).toThrow(message);
  });
});

describe('the tables of the command line', () => {
  it('give each letter to one option', () => {
    const letters = Object.values(OPTIONS).flatMap(({ letter }) => letter ?? []);
    expect(new Set(letters).size).toBe(letters.length);
  });

  it('have a kind for each argument', () => {
    for (const { argument, kind } of Object.values(OPTIONS)) expect(kind === undefined).toBe(argument === undefined);
  });

  it('name the commands that the launcher starts Node.js for without a program to exec', () => {
    const launcher = readFileSync(join(PROJECT, 'native-free/acl-groups'), 'utf8');
    const [, words = ''] = /^([\w| -]+ \| --version)\) exec /m.exec(launcher) ?? [];
    expect(words.split(' | ').sort()).toEqual(
      [...COMMAND_WORDS.filter((word) => word !== 'serve'), '-h', '--help', '-V', '--version'].sort(),
    );
    expect(launcher).toMatch(/^if \[ "\$\{1-\}" = serve \]; then$/m);
  });

  it('are taken as they are: each option by both of its forms', () => {
    for (const [command, { options }] of Object.entries(COMMANDS)) {
      if (['exec', 'help', 'version'].includes(command)) continue;
      for (const name of options) {
        const { letter, argument } = OPTIONS[name];
        const value = argument === undefined ? [] : [{ dovecot: '2.4', mode: '600' }[name as string] ?? '/x'];
        const long = parseArguments([command, `--${name}`, ...value]).options;
        expect(Object.keys(long)).toHaveLength(1);
        if (letter !== undefined) expect(parseArguments([command, `-${letter}`, ...value]).options).toEqual(long);
      }
    }
  });
});
