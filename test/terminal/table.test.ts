import { describe, expect, it } from 'vitest';
import { formatTable, PLAIN } from '../../src/terminal/table.js';

describe('formatTable', () => {
  it('aligns by what characters take on a terminal', () => {
    expect(
      formatTable(
        [
          ['a', 'x'],
          ['日本', 'x'],
          ['e\u0301\u200d😀', 'x'],
          ['abcde', 'x', 'y'],
        ],
        PLAIN,
      ),
    ).toBe('  a      x\n  日本   x\n  e\u0301\u200d😀    x\n  abcde  x  y\n');
  });

  it('goes on in the next line behind a cell of more than half of the terminal', () => {
    const rows = [
      ['name', 'from', 'because'],
      ['abc', 'unix', 'one two three four five'],
      ['a-very-long-name-of-a-group', 'ldap', 'six'],
    ];
    expect(formatTable(rows, PLAIN, 40)).toBe(
      ['  name  from  because', '  abc   unix  one two three four five', '  a-very-long-name-of-a-group', '        ldap  six', ''].join(
        '\n',
      ),
    );
    expect(formatTable(rows, PLAIN).split('\n')[0]).toBe(`  name${' '.repeat(25)}from  because`);
  });

  it('leaves no blanks at the ends of lines', () => {
    expect(formatTable([['a', ''], ['b']], PLAIN)).toBe('  a\n  b\n');
  });

  it('shows control characters instead of obeying them', () => {
    expect(formatTable([['a\u001b[31m\n\u009b2J\u202e', 'x']], PLAIN)).toBe('  a\\u{1b}[31m\\u{a}\\u{9b}2J\\u{202e}  x\n');
  });

  it('pads outside of what is painted', () => {
    const paint = (style: string, text: string): string => `<${style}>${text}</>`;
    expect(
      formatTable(
        [
          [['a', 'bold'], 'x'],
          ['abc', ['y', 'red']],
        ],
        paint,
      ),
    ).toBe('  <bold>a</>    x\n  abc  <red>y</>\n');
  });

  it('wraps the last column to the width of the terminal, but no word', () => {
    const rows = [['name', ['日本 日本 日本 日本 日本 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa b', 'red']], ['other']] as const;
    expect(formatTable(rows, PLAIN, 30)).toBe(
      '  name   日本 日本 日本 日本\n         日本\n         aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n         b\n  other\n',
    );
  });
});
