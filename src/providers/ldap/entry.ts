import { isUtf8 } from 'node:buffer';
import type { Entry as LdaptsEntry } from 'ldapts';

/** An entry as a search found it. Attribute names compare without case, and every attribute is a list. */
export interface Entry {
  /** As the server spells it. */
  readonly dn: string;
  /** The values that are texts; what isn't UTF-8 is left out. */
  texts(attribute: string): readonly string[];
  /** The values as bytes. */
  bytes(attribute: string): readonly Buffer[];
  /** For an attribute that came in part ([MS-ADTS] 3.1.1.3.1.3.3): what came, and where the rest begins; no `next` if that was the end. */
  range(attribute: string): { readonly values: readonly string[]; readonly next?: number | undefined } | undefined;
}

/** Makes one form of the several that ldapts gives a value: a string, a Buffer, lists of either, an empty list for none. */
export function readEntry(raw: LdaptsEntry): Entry {
  const { dn, ...attributes } = raw;
  const values = new Map(Object.entries(attributes).map(([name, value]) => [name.toLowerCase(), [value].flat()]));
  return {
    dn,
    texts: (attribute) => (values.get(attribute.toLowerCase()) ?? []).flatMap(text),
    bytes: (attribute) => (values.get(attribute.toLowerCase()) ?? []).map((value) => (Buffer.isBuffer(value) ? value : Buffer.from(value))),
    range(attribute) {
      const prefix = `${attribute.toLowerCase()};range=`;
      for (const [name, part] of values) {
        if (!name.startsWith(prefix)) continue;
        const end = name.slice(prefix.length).split('-')[1];
        return { values: part.flatMap(text), next: end === undefined || end === '*' ? undefined : Number(end) + 1 };
      }
      return undefined;
    },
  };
}

function text(value: string | Buffer): readonly string[] {
  if (!Buffer.isBuffer(value)) return [value];
  return isUtf8(value) ? [value.toString('utf8')] : [];
}
