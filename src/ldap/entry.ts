import { isUtf8 } from 'node:buffer';
import type { Entry as LdaptsEntry } from 'ldapts';

/** A portion of an attribute's values. */
export interface ValueRange {
  /** The number of its first value, from 0 on. */
  readonly start: number;
  readonly values: readonly Buffer[];
  /** The number of the value that the rest begins with; `undefined` if this was the end. */
  readonly next: number | undefined;
}

/** An entry as a search found it. Attribute names compare without case; values are lists of bytes, which are decoded here and nowhere else. */
export class Entry {
  /** As the server spells it, which is what it is told from others by. */
  readonly dn: string;
  readonly #values = new Map<string, readonly Buffer[]>();

  constructor(raw: LdaptsEntry) {
    this.dn = raw.dn;
    for (const [name, value] of Object.entries(raw)) {
      // ldapts keeps the DN among the attributes, and no server has one of this name.
      if (name === 'dn') continue;
      const values = Array.isArray(value) ? value : [value];
      this.#values.set(
        name.toLowerCase(),
        values.map((each) => (typeof each === 'string' ? Buffer.from(each) : each)),
      );
    }
  }

  /** Whether its DN came out of its bytes whole, so that the server knows it again. */
  get isAddressable(): boolean {
    return isWhole(this.dn);
  }

  /** Whether any value of it came, be it in part. */
  has(attribute: string): boolean {
    return this.bytes(attribute).length > 0 || this.range(attribute) !== undefined;
  }

  bytes(attribute: string): readonly Buffer[] {
    return this.#values.get(attribute.toLowerCase()) ?? [];
  }

  /** The values that are texts, a byte order mark included; what isn't UTF-8 is skipped. */
  texts(attribute: string): readonly string[] {
    return this.bytes(attribute).flatMap((value) => text(value) ?? []);
  }

  /** For an attribute that came in part ([MS-ADTS] 3.1.1.3.1.3.3): what came. */
  range(attribute: string): ValueRange | undefined {
    const prefix = `${attribute.toLowerCase()};range=`;
    for (const [name, values] of this.#values) {
      if (!name.startsWith(prefix)) continue;
      const [start, end] = name.slice(prefix.length).split('-');
      return { start: Number(start), values, next: end === undefined || end === '*' ? undefined : Number(end) + 1 };
    }
    return undefined;
  }
}

/** A value as a text; `undefined` if it isn't UTF-8. */
export function text(value: Buffer): string | undefined {
  // TextDecoder, which ldapts uses, would drop a byte order mark, and make one value of two.
  return isUtf8(value) ? value.toString('utf8') : undefined;
}

/** Whether a text that ldapts decoded can have come from UTF-8: what can't was read as U+FFFD. */
export function isWhole(decoded: string): boolean {
  return !decoded.includes('\uFFFD');
}
