// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/** Whether a text holds control characters, which neither a user name nor a group name may. */
export function hasControlCharacters(text: string): boolean {
  return CONTROL.test(text);
}

/** Whether a text came out of its bytes whole, and goes back: what isn't UTF-8 was read as U+FFFD, half a surrogate pair would be written as one. */
export function isUnicode(text: string): boolean {
  return !/\uFFFD|\p{Surrogate}/u.test(text);
}

/** The text with control characters written as `\u{…}`, so that no name can end a log line or reach a terminal. */
export function printable(text: string): string {
  if (!CONTROL.test(text)) return text;
  return text.replace(new RegExp(CONTROL, 'g'), (c) => `\\u{${c.charCodeAt(0).toString(16)}}`);
}
