import { describe, expect, it } from 'vitest';
import { hasControlCharacters, isUnicode, printable, printableJson } from '../../src/support/text.js';

describe('hasControlCharacters', () => {
  it.each(['\u0000', '\t', '\n', '\u001f', '\u007f', '\u0080', '\u009f', '\u2028', '\u2029'])('knows %j', (character) => {
    expect(hasControlCharacters(`a${character}b`)).toBe(true);
  });

  it.each(['', ' ', 'é', '\u00a0', '\u200f', '\u202e', '😀'])('lets %j be', (text) => {
    expect(hasControlCharacters(text)).toBe(false);
  });
});

describe('isUnicode', () => {
  it('tells text from what was no UTF-8, or can not become it', () => {
    expect(['a', '😀', '\u{10ffff}'].map(isUnicode)).toEqual([true, true, true]);
    expect(['\ufffd', '\ud83d', 'a\ude00b'].map(isUnicode)).toEqual([false, false, false]);
  });
});

describe('printable', () => {
  it('writes control characters and turns of direction as escapes, everything else as it is', () => {
    expect(printable('a\u001b[0m\u202eb\\ é 😀')).toBe('a\\u{1b}[0m\\u{202e}b\\ é 😀');
  });
});

describe('printableJson', () => {
  it('is JSON without them', () => {
    const value = { a: ['\u007f\u009b\u202e\n', 'é😀"\\'] };
    expect(printableJson(value)).toBe('{"a":["\\u007f\\u009b\\u202e\\n","é😀\\"\\\\"]}');
    expect(JSON.parse(printableJson(value))).toEqual(value);
  });
});
