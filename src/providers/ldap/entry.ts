import { isUtf8 } from 'node:buffer';
import type { Entry as LdaptsEntry } from 'ldapts';

/** A portion of an attribute's values. */
export interface ValueRange {
  /** The number of its first value, from 0 on. */
  readonly start: number;
  readonly values: readonly string[];
  /** The number of the value that the rest begins with; `undefined` if this was the end. */
  readonly next: number | undefined;
}

/** An entry as a search found it. Attribute names compare without case, and every attribute is a list. */
export class Entry {
  /** As the server spells it. */
  readonly dn: string;
  readonly #raw: LdaptsEntry;

  constructor(raw: LdaptsEntry) {
    this.dn = raw.dn;
    this.#raw = raw;
  }

  /** The values that are texts; what isn't UTF-8 is left out. */
  texts(attribute: string): readonly string[] {
    return this.#values(attribute).flatMap(text);
  }

  /** The values as bytes. */
  bytes(attribute: string): readonly Buffer[] {
    return this.#values(attribute).map((value) => (Buffer.isBuffer(value) ? value : Buffer.from(value)));
  }

  /** For an attribute that came in part ([MS-ADTS] 3.1.1.3.1.3.3): what came. */
  range(attribute: string): ValueRange | undefined {
    const prefix = `${attribute.toLowerCase()};range=`;
    const name = Object.keys(this.#raw).find((each) => each.toLowerCase().startsWith(prefix));
    if (name === undefined) return undefined;
    const [start, end] = name.slice(prefix.length).split('-');
    return { start: Number(start), values: this.texts(name), next: end === undefined || end === '*' ? undefined : Number(end) + 1 };
  }

  /** Makes one form of the several that ldapts gives a value: a string, a Buffer, lists of either, an empty list for none. */
  #values(attribute: string): readonly (string | Buffer)[] {
    // ldapts keeps the DN among the attributes, and no server has one of this name.
    if (attribute === 'dn') return [];
    const name = Object.hasOwn(this.#raw, attribute) ? attribute : this.#spelling(attribute);
    const value = name === undefined ? undefined : this.#raw[name];
    if (value === undefined) return [];
    return Array.isArray(value) ? value : [value];
  }

  #spelling(attribute: string): string | undefined {
    const lower = attribute.toLowerCase();
    return Object.keys(this.#raw).find((name) => name.toLowerCase() === lower);
  }
}

function text(value: string | Buffer): readonly string[] {
  if (!Buffer.isBuffer(value)) return [value];
  return isUtf8(value) ? [value.toString('utf8')] : [];
}
