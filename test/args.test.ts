import { describe, expect, it } from 'vitest';
import { parseArguments } from '../src/args.js';
import { UsageError } from '../src/support/errors.js';

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
