import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dovecotLogLine } from '../../src/dovecot/log-format.js';
import { createLogger } from '../../src/support/log.js';
import { hasControlCharacters, printable } from '../../src/support/text.js';

describe('createLogger', () => {
  it('makes one line of each message, whatever it holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (message) => {
        const written: string[] = [];
        createLogger((_, text) => written.push(text)).error(message);
        expect(written).toHaveLength(1);
        expect(hasControlCharacters(written[0] ?? '')).toBe(false);
      }),
    );
  });

  it('passes the level on', () => {
    const written: string[] = [];
    const log = createLogger((level, text) => written.push(`${level} ${text}`));
    log.debug('a');
    log.info('b');
    log.warning('c');
    log.error('d');
    expect(written).toEqual(['debug a', 'info b', 'warning c', 'error d']);
  });

  it('makes a debug message only where it is read', () => {
    const written: string[] = [];
    const message = (): string => 'a\nb';
    createLogger((_, text) => written.push(text)).debug(message);
    expect(written).toEqual(['a\\u{a}b']);
    const unread = (): string => {
      throw new Error('nobody reads this');
    };
    const log = createLogger((level, text) => written.push(`${level} ${text}`), { debug: false });
    log.debug(unread);
    log.debug('unread');
    log.info('c');
    expect(written.slice(1)).toEqual(['info c']);
  });
});

describe('dovecotLogLine', () => {
  it.each([
    ['debug', '\u0001\u000142 text\n'],
    ['info', '\u0001\u000242 text\n'],
    ['warning', '\u0001\u000342 text\n'],
    ['error', '\u0001\u000442 text\n'],
  ] as const)('starts a line of level %s with its byte', (level, line) => {
    expect(dovecotLogLine(level, 42, 'text')).toBe(line);
  });
});

describe('printable', () => {
  it.each([
    ['Domain Users', 'Domain Users'],
    ['a\nb', 'a\\u{a}b'],
    ['\u001b[31mred', '\\u{1b}[31mred'],
    ['next\u0085line\u2028', 'next\\u{85}line\\u{2028}'],
    ['Grüße 👋', 'Grüße 👋'],
  ])('%j', (text, shown) => {
    expect(printable(text)).toBe(shown);
  });
});
