/**
 * The little that has to be done with the text of a DN. What it means is the server's business: no two DNs are compared here, and
 * ldapts' DN class, which only puts DNs together, leaves control characters as they are and quotes in a way that RFC 4514 dropped.
 * @module
 */

/** A text as a value within a DN (RFC 4514, 2.4): whatever it holds, it stays one value. */
export function escapeDnValue(text: string): string {
  // In hex, which is allowed for all: some servers take no other form of control characters.
  return text.replace(/[\p{Cc}"+,;<=>\\]|^[ #]| $/gu, (c) => Buffer.from(c).toString('hex').replace(/../g, '\\$&'));
}

/** The DNs above an entry, the nearest first: what is behind each comma that isn't part of a value. */
export function ancestors(dn: string): readonly string[] {
  const [, ...above] = split(dn, ',');
  return above.map((_, index) => above.slice(index).join(','));
}

/** The value of `attribute` that an entry is named by, if its DN begins with one. */
export function namingValue(dn: string, attribute: string): string | undefined {
  for (const pair of split(split(dn, ',')[0] ?? '', '+')) {
    const [, type = '', value = ''] = /^\s*([^=\s]+)\s*=(.*)$/s.exec(pair) ?? [];
    if (type.toLowerCase() !== attribute.toLowerCase()) continue;
    const bytes = [...value.matchAll(/\\([0-9A-Fa-f]{2})|\\(.)|([^\\]+)/gsu)].map(([, hex, escaped, plain]) =>
      hex === undefined ? Buffer.from(escaped ?? plain ?? '') : Buffer.from(hex, 'hex'),
    );
    return Buffer.concat(bytes).toString();
  }
  return undefined;
}

/** The parts of a text between separators that aren't part of a value. */
function split(text: string, separator: ',' | '+'): readonly string[] {
  return text.match(separator === ',' ? /(?:\\.|[^\\,])+/gsu : /(?:\\.|[^\\+])+/gsu) ?? [];
}
