/** One `type=value` of a distinguished name, comparable: the type in lower case, the value folded. */
interface Pair {
  readonly type: string;
  readonly value: string;
}

/** The relative distinguished names of a DN, from the entry up. Each is one pair, seldom several joined by `+`. */
export type Rdns = readonly (readonly Pair[])[];

/**
 * Reads a distinguished name (RFC 4514, and the quotes of RFC 2253's predecessors). Values are unescaped and folded as caseIgnoreMatch
 * folds them (RFC 4518): that is the rule of every attribute that entries are commonly named by.
 * @returns `undefined` for a text that is no DN
 */
export function parseDn(text: string): Rdns | undefined {
  if (text.trim() === '') return [];
  const rdns: Pair[][] = [];
  let pairs: Pair[] = [];
  let at = 0;
  while (true) {
    const head = /^\s*([A-Za-z0-9.-]+)\s*=[ ]*/.exec(text.slice(at, at + 300));
    if (head?.[1] === undefined) return undefined;
    const value = readValue(text, at + head[0].length);
    if (value === undefined) return undefined;
    pairs.push({ type: head[1].toLowerCase(), value: fold(value.text) });
    const separator = text[value.end];
    at = value.end + 1;
    if (separator === '+') continue;
    rdns.push(pairs);
    pairs = [];
    if (separator === undefined) return rdns;
    if (separator !== ',' && separator !== ';') return undefined;
  }
}

/** A form in which two spellings of one DN are equal, for comparing only. A text that is no DN stands for itself. */
export function normalizeDn(text: string): string {
  // Most DNs hold nothing that could be spelled otherwise.
  if (/^[\w.-]+=[\w.-]+(?:,[\w.-]+=[\w.-]+)*$/.test(text)) return text.toLowerCase();
  const rdns = parseDn(text);
  return rdns === undefined ? fold(text) : rdns.map(rdnKey).join(',');
}

/** Whether an entry is `base`, or below it. */
export function isBelow(dn: string, base: string): boolean {
  const [inner, outer] = [parseDn(dn), parseDn(base)];
  if (inner === undefined || outer === undefined || inner.length < outer.length) return false;
  return outer.every((rdn, index) => rdnKey(rdn) === rdnKey(inner[inner.length - outer.length + index] ?? []));
}

/** The DN of the domain that an entry is in, by RFC 2247: the `dc` components at its end. */
export function domainOf(dn: string): string {
  const rdns = parseDn(dn) ?? [];
  const last = rdns.findLastIndex((rdn) => rdn[0]?.type !== 'dc');
  return rdns
    .slice(last + 1)
    .map(rdnKey)
    .join(',');
}

/** The folded value that an entry is named by, if its name holds `attribute`. */
export function namingValue(dn: string, attribute: string): string | undefined {
  return parseDn(dn)?.[0]?.find(({ type }) => type === attribute.toLowerCase())?.value;
}

/** Folds a value as caseIgnoreMatch compares it: case, and blanks at the ends and in a row, don't count. */
export function fold(value: string): string {
  if (/^[\x21-\x7e]*$/.test(value)) return value.toLowerCase();
  return value.normalize('NFKC').toLowerCase().trim().replace(/\s+/g, ' ');
}

/** A text as a value within a DN: whatever it holds, it stays one value. */
export function escapeDnValue(text: string): string {
  // The bytes of every special character of RFC 4514 in hex, blanks and # too: it is allowed anywhere, so that no position needs a rule.
  return text.replace(/[\p{Cc} "#+,;<=>\\]/gu, (c) => Buffer.from(c).toString('hex').replace(/../g, '\\$&'));
}

function rdnKey(pairs: readonly Pair[]): string {
  const keys = pairs.map(({ type, value }) => `${type}=${escapeDnValue(value)}`);
  return keys.sort().join('+');
}

function readValue(text: string, start: number): { readonly text: string; readonly end: number } | undefined {
  const bytes: Buffer[] = [];
  let at = start;
  let quoted = false;
  if (text[at] === '"') {
    quoted = true;
    at++;
  }
  while (at < text.length) {
    const plain = quoted ? /[^"\\]*/y : /[^,;+\\]*/y;
    plain.lastIndex = at;
    const run = plain.exec(text)?.[0] ?? '';
    if (run !== '') {
      // Only blanks that aren't escaped are padding, and folding takes off the others too.
      bytes.push(Buffer.from(run));
      at += run.length;
      continue;
    }
    if (text[at] !== '\\') break;
    const hex = text.slice(at + 1, at + 3);
    if (/^[0-9A-Fa-f]{2}$/.test(hex)) {
      bytes.push(Buffer.from(hex, 'hex'));
      at += 3;
    } else {
      const escaped = text.codePointAt(at + 1);
      if (escaped === undefined) return undefined;
      const character = String.fromCodePoint(escaped);
      bytes.push(Buffer.from(character));
      at += 1 + character.length;
    }
  }
  if (quoted) {
    if (text[at] !== '"') return undefined;
    at++;
    while (text[at] === ' ') at++;
  }
  return { text: Buffer.concat(bytes).toString('utf8'), end: at };
}
