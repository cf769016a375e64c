// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/** Whether a text holds control characters, which neither a user name nor a group name may. */
export function hasControlCharacters(text: string): boolean {
  return CONTROL.test(text);
}

/** Whether a text came out of its bytes whole, and goes back: what isn't UTF-8 was read as U+FFFD, half a surrogate pair would be written as one. */
export function isUnicode(text: string): boolean {
  return !/[\uFFFD\uD800-\uDFFF]/u.test(text);
}

/** Control characters, and those that turn the direction of the text after them. */
const MISLEADING = new RegExp(`${CONTROL.source}|[\\u202a-\\u202e\\u2066-\\u2069]`, 'g');

/** The text with control characters written as `\u{…}`, so that no name can end a log line, reach a terminal, or turn a line around. */
export function printable(text: string): string {
  return text.replace(MISLEADING, (c) => `\\u{${c.charCodeAt(0).toString(16)}}`);
}

/** One line of JSON that is as harmless on a terminal: JSON itself lets all but the first 32 characters stand. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(MISLEADING, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A text's UTF-8, one character a byte: what the service keeps and joins, and writes as latin1. */
export function bytesOf(text: string): string {
  return /[^\0-\x7f]/.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text;
}
