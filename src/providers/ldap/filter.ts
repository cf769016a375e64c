import { isUtf8 } from 'node:buffer';
import {
  AndFilter,
  ApproximateFilter,
  EqualityFilter,
  ExtensibleFilter,
  type Filter,
  GreaterThanEqualsFilter,
  LessThanEqualsFilter,
  NotFilter,
  OrFilter,
  PresenceFilter,
  SubstringFilter,
} from 'ldapts';
import { ConfigError } from '../../support/errors.js';

/** Active Directory's LDAP_MATCHING_RULE_IN_CHAIN. Other servers may accept it and find nothing. */
const CHAIN_RULE = '1.2.840.113556.1.4.1941';

/** What stands for a placeholder. With several values any of them will do; with none, what holds the placeholder can't match. */
export type FilterValues = Readonly<Record<string, readonly string[]>>;

/** A filter of the configuration, read once. Values go into the finished tree, never into text: there is nothing to escape and nothing to inject. */
export interface FilterTemplate {
  readonly placeholders: ReadonlySet<string>;
  /** Whether it needs Active Directory's rule for chains of groups. */
  readonly usesChainRule: boolean;
  /** The filter for these values; `undefined` if it could match nothing. */
  fill(values: FilterValues): Filter | undefined;
  /** A filter that matches what at least one of the `values` for `placeholder` matches, other placeholders having none. */
  fillAny(placeholder: string, values: readonly string[]): Filter | undefined;
}

/**
 * Reads a filter (RFC 4515) with `{name}` placeholders in its values. Blanks and ends of lines between parentheses are allowed.
 * @throws ConfigError for other placeholders than `allowed`, and for what is no filter; the message starts with `option`
 */
export function parseFilter(text: string, allowed: readonly string[], option: string): FilterTemplate {
  const parser = new Parser(text, allowed, option);
  const root = parser.parse();
  const leaves = [...holders(root)];
  // Then one tree with all the values in one place says the same as an OR of as many trees, and is less to send and to match.
  const distributes = leaves.length <= 1 && !leaves.some(({ negated }) => negated);
  const fill = (values: FilterValues): Filter | undefined => {
    const filter = root.fill(values);
    if (filter === true) return new PresenceFilter({ attribute: 'objectClass' });
    return filter === false ? undefined : filter;
  };
  return {
    placeholders: new Set(leaves.flatMap(({ names }) => names)),
    usesChainRule: text.includes(CHAIN_RULE),
    fill,
    fillAny(placeholder, values) {
      if (distributes) return fill({ [placeholder]: values });
      return anyOf(values.flatMap((value) => fill({ [placeholder]: [value] }) ?? []));
    },
  };
}

/** An OR of filters, or the only one there is. */
export function anyOf(filters: readonly Filter[]): Filter | undefined {
  return filters.length > 1 ? new OrFilter({ filters: [...filters] }) : filters[0];
}

/** A part of a filter. Filling it gives `false` for what can't match and `true` for what always does: neither has a form that all servers know. */
interface Node {
  readonly children: readonly Node[];
  readonly negates: boolean;
  readonly names: readonly string[];
  fill(values: FilterValues): Filter | boolean;
}

function* holders(node: Node, negated = false): Iterable<{ names: readonly string[]; negated: boolean }> {
  if (node.names.length > 0) yield { names: node.names, negated };
  for (const child of node.children) yield* holders(child, negated || node.negates);
}

function combine(type: 'and' | 'or', children: readonly Node[]): Node {
  const decisive = type === 'or';
  return {
    children,
    negates: false,
    names: [],
    fill(values) {
      const filled = children.map((child) => child.fill(values));
      if (filled.includes(decisive)) return decisive;
      const filters = filled.filter((filter) => typeof filter !== 'boolean');
      const [first] = filters;
      if (first === undefined) return !decisive;
      if (filters.length === 1) return first;
      return type === 'or' ? new OrFilter({ filters }) : new AndFilter({ filters });
    },
  };
}

function negate(child: Node): Node {
  return {
    children: [child],
    negates: true,
    names: [],
    fill(values) {
      const filter = child.fill(values);
      return typeof filter === 'boolean' ? !filter : new NotFilter({ filter });
    },
  };
}

/** A value as it was written: constant pieces, and placeholders between them. */
type Value = readonly (string | { readonly name: string })[];

class Parser {
  readonly #text: string;
  readonly #allowed: readonly string[];
  readonly #option: string;
  #at = 0;

  constructor(text: string, allowed: readonly string[], option: string) {
    this.#text = text.trim();
    this.#allowed = allowed;
    this.#option = option;
  }

  parse(): Node {
    const node = this.#filter();
    if (this.#at < this.#text.length) throw this.#error('expected the end');
    return node;
  }

  #filter(): Node {
    this.#expect('(');
    this.#blanks();
    const operator = this.#text[this.#at];
    let node: Node;
    if (operator === '&' || operator === '|') {
      this.#at++;
      const children: Node[] = [];
      for (this.#blanks(); this.#text[this.#at] === '('; this.#blanks()) children.push(this.#filter());
      if (children.length === 0) throw this.#error(`expected a filter in parentheses behind ${operator}`);
      node = combine(operator === '&' ? 'and' : 'or', children);
    } else if (operator === '!') {
      this.#at++;
      this.#blanks();
      node = negate(this.#filter());
      this.#blanks();
    } else {
      node = this.#assertion();
    }
    this.#expect(')');
    return node;
  }

  #assertion(): Node {
    const pattern = /((?:[A-Za-z][\w-]*|\d+(?:\.\d+)+)(?:;[\w-]+)*)?((?::dn)?)((?::[\w.-]+)?)(:?=|>=|<=|~=)/y;
    pattern.lastIndex = this.#at;
    const [whole, attribute = '', dn = '', rule = '', operator = ''] = pattern.exec(this.#text) ?? [];
    const extensible = operator === ':=';
    if (whole === undefined || (attribute === '' && rule === '') || (!extensible && dn + rule !== '')) {
      throw this.#error('expected an attribute and one of =, >=, <=, ~=, :=');
    }
    this.#at += whole.length;
    const values = this.#values();
    const [only = []] = values;
    if (operator === '=') {
      if (values.length === 1) {
        if (Buffer.isBuffer(only)) return leaf([], () => new EqualityFilter({ attribute, value: only }));
        return leaf([only], ([value = '']) => new EqualityFilter({ attribute, value }));
      }
      if (values.length === 2 && values.flat().length === 0) return leaf([], () => new PresenceFilter({ attribute }));
    }
    const texts = values.filter((value): value is Value => !Buffer.isBuffer(value));
    if (texts.length < values.length) throw this.#error('bytes that are no UTF-8 can only be compared by =');
    if (operator === '=') {
      return leaf(texts, (parts) => {
        return new SubstringFilter({ attribute, initial: parts[0] ?? '', any: parts.slice(1, -1), final: parts.at(-1) ?? '' });
      });
    }
    if (values.length > 1) throw this.#error(`a * in a value behind ${operator} has to be written \\2a`);
    return leaf(texts, ([value = '']) => {
      if (operator === '>=') return new GreaterThanEqualsFilter({ attribute, value });
      if (operator === '<=') return new LessThanEqualsFilter({ attribute, value });
      if (operator === '~=') return new ApproximateFilter({ attribute, value });
      return new ExtensibleFilter({ matchType: attribute, rule: rule.slice(1), dnAttributes: dn !== '', value });
    });
  }

  /** The value up to the closing parenthesis, cut at each `*`. One that is no text is a Buffer. */
  #values(): readonly (Value | Buffer)[] {
    const end = this.#text.indexOf(')', this.#at);
    if (end < 0) throw this.#error('a closing parenthesis is missing');
    const parts = this.#text.slice(this.#at, end).split('*');
    const values = parts.map((part) => this.#value(part));
    this.#at = end;
    return values;
  }

  #value(part: string): Value | Buffer {
    const pieces = part.split(/(\{[^{}]*\})/).filter((piece) => piece !== '');
    const value = pieces.map((piece) => (piece.startsWith('{') && piece.endsWith('}') ? this.#placeholder(piece) : this.#constant(piece)));
    const [only] = value;
    if (value.length === 1 && Buffer.isBuffer(only)) return only;
    return value.map((piece) => {
      if (Buffer.isBuffer(piece)) throw this.#error(`"${part}": bytes that are no UTF-8 can't stand beside a placeholder`);
      return piece;
    });
  }

  #placeholder(piece: string): { readonly name: string } {
    const name = piece.slice(1, -1);
    if (this.#allowed.includes(name)) return { name };
    const allowed = this.#allowed.map((each) => `{${each}}`).join(' ') || 'none';
    throw this.#error(`unknown placeholder ${piece} (allowed here: ${allowed}; a brace itself is written \\7b or \\7d)`);
  }

  #constant(text: string): string | Buffer {
    if (/[({}]/.test(text)) throw this.#error(`"${text}": ( { and } in a value have to be written \\28 \\7b \\7d`);
    const bytes: Buffer[] = [];
    for (const piece of text.split(/(\\.{0,2})/s)) {
      if (!piece.startsWith('\\')) bytes.push(Buffer.from(piece));
      else if (/^\\[0-9A-Fa-f]{2}$/.test(piece)) bytes.push(Buffer.from(piece.slice(1), 'hex'));
      else throw this.#error(`"${piece}": a backslash needs two hexadecimal digits behind it`);
    }
    const all = Buffer.concat(bytes);
    return isUtf8(all) ? all.toString('utf8') : all;
  }

  #blanks(): void {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at++;
  }

  #expect(character: string): void {
    if (this.#text[this.#at] !== character) throw this.#error(`expected ${character}`);
    this.#at++;
  }

  #error(reason: string): ConfigError {
    return new ConfigError(`${this.#option}: ${this.#text}: no filter, at character ${this.#at + 1}: ${reason}`);
  }
}

/** A comparison; `make` gets its values' texts. */
function leaf(values: readonly Value[], make: (texts: readonly string[]) => Filter): Node {
  const names = [...new Set(values.flatMap((value) => value.flatMap((piece) => (typeof piece === 'string' ? [] : [piece.name]))))];
  const filled = (choice: Readonly<Record<string, string>>): Filter =>
    make(values.map((value) => value.map((piece) => (typeof piece === 'string' ? piece : (choice[piece.name] ?? ''))).join('')));
  return {
    children: [],
    negates: false,
    names,
    fill(given) {
      let choices: readonly Readonly<Record<string, string>>[] = [{}];
      for (const name of names) choices = choices.flatMap((choice) => (given[name] ?? []).map((text) => ({ ...choice, [name]: text })));
      return anyOf(choices.map(filled)) ?? false;
    },
  };
}
