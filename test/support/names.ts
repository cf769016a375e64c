import fc from 'fast-check';
import { hasControlCharacters, isUnicode } from '../../src/support/text.js';

/** The longest group name that is tried, in bytes of UTF-8. */
const LONGEST = 255;

/** What Dovecot, shells or programs on the way might take for something else. */
export const PIECES: readonly string[] = [
  ...[
    ' ',
    '  ',
    ',',
    ', ',
    '"',
    '""',
    "'",
    '\\',
    '\\\\',
    '%',
    '%%',
    '%%%',
    '=',
    '/',
    ':',
    '-',
    '--',
    '@',
    '+',
    '$',
    '`',
    '*',
    '?',
    '!',
    '<',
    '>',
  ],
  ...[
    '%{user}',
    '%u',
    '%d',
    '%n',
    '%h',
    '%5.3Lu',
    '%{',
    '%{if;%u;==;x;a,b}',
    '}',
    '\\s',
    '\\e',
    '\\_',
    '\\+',
    '\\.',
    '\\x',
    '\\"',
    '\\,',
    '$SET:x',
    '$x',
  ],
  ...[
    '#',
    ';',
    '&',
    '|',
    '(',
    ')',
    '[',
    ']',
    '{',
    '~',
    '^',
    '.',
    '..',
    '😀',
    '👩‍👩‍👧',
    'שלום',
    'مجموعة',
    '\u202e',
    '\u200f',
    '\u00a0',
    '\u3000',
    'é',
    'e\u0301',
    'ß',
    '日本',
  ],
  ...['a', 'B', '0', 'Domain', 'Users', 'acl_groups', 'plugin/', 'inline:'],
];

/** Names that mean something to somebody. */
const WORDS = [
  '-',
  '--',
  '--help',
  '-p',
  ':',
  '=',
  '@',
  'yes',
  'no',
  'root',
  '0',
  '*',
  '%u',
  '%{user}',
  'CORP\\sales',
  'Domain Users',
  'x,y',
  ' a',
  'a ',
  ' ',
  '  ',
  '#hash',
  '$x',
  '!x',
];

/** What Dovecot's settings, old and new, take for something else at the start of a value: of the whole value, whatever name is its first. */
const STARTS = [
  'inline:',
  'INLINE:',
  'inline',
  '<',
  '<<',
  '/',
  './',
  '$',
  '$SET:',
  '$ENV:',
  '%{',
  '"',
  "'",
  '+',
  '+=',
  '=',
  '__',
  '#',
  '@',
  '{',
];

/** Whether a name is one to try as the first of a value. */
export function startsSpecially(name: string): boolean {
  return STARTS.some((start) => name.startsWith(start));
}

/** Any name that a group can have: not empty, whole code points, no control characters, 255 bytes at most. */
export const groupName: fc.Arbitrary<string> = fc
  .oneof(
    { weight: 1, arbitrary: fc.constantFrom(...WORDS) },
    { weight: 6, arbitrary: fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 6 }).map((pieces) => pieces.join('')) },
    {
      weight: 1,
      arbitrary: fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 3 }).map((p) => atMost(p.join('').repeat(LONGEST))),
    },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom(...STARTS), fc.array(fc.constantFrom(...PIECES), { maxLength: 2 }))
        .map(([s, p]) => s + p.join('')),
    },
    { weight: 1, arbitrary: fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 12 }) },
    { weight: 2, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }) },
  )
  .map(atMost)
  .filter((name) => name !== '' && !hasControlCharacters(name) && isUnicode(name));

/** The start of a text that fits into a group name, without half a character at its end. */
function atMost(text: string): string {
  let bytes = 0;
  let length = 0;
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > LONGEST) break;
    length += character.length;
  }
  return text.slice(0, length);
}
