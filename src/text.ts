// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

/** Whether a text holds control characters, which neither a user name nor a group name may. */
export function hasControlCharacters(text: string): boolean {
  return CONTROL.test(text);
}

/** The text with control characters written as `\u{…}`, so that no name can end a log line or reach a terminal. */
export function printable(text: string): string {
  if (!CONTROL.test(text)) return text;
  return text.replace(new RegExp(CONTROL, 'g'), (c) => `\\u{${c.charCodeAt(0).toString(16)}}`);
}
