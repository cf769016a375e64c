import { isUtf8 } from 'node:buffer';
import {
  AndFilter,
  ApproximateFilter,
  EqualityFilter,
  ExtensibleFilter,
  type Filter,
  FilterParser,
  GreaterThanEqualsFilter,
  LessThanEqualsFilter,
  NotFilter,
  OrFilter,
  PresenceFilter,
  SubstringFilter,
} from 'ldapts';
import { ConfigError, explain } from '../../support/errors.js';

/** Active Directory's LDAP_MATCHING_RULE_IN_CHAIN. Other servers may accept it and find nothing. */
const CHAIN_RULE = '1.2.840.113556.1.4.1941';

/** Matches every entry. */
export const ANYTHING: Filter = new PresenceFilter({ attribute: 'objectClass' });

/** What stands for a placeholder. With several values any of them will do; with none, what holds the placeholder can't match. */
export type FilterValues = Readonly<Record<string, readonly string[]>>;

/** A filter of the configuration, read once. Values go into the finished tree, never into text: there is nothing to escape and nothing to inject. */
export interface FilterTemplate {
  readonly placeholders: ReadonlySet<string>;
  /** The attributes that placeholders are compared with. */
  readonly attributes: readonly string[];
  /** Whether it needs Active Directory's rule for chains of groups. */
  readonly usesChainRule: boolean;
  /** The filter for these values; `undefined` if it could match nothing. */
  fill(values: FilterValues): Filter | undefined;
  /** A filter that matches what at least one of the `values` for `placeholder` matches, other placeholders having none. */
  fillAny(placeholder: string, values: readonly string[]): Filter | undefined;
}

/** Where the characters that stand for placeholders begin. The parser sees bytes, so that no text of the configuration holds such characters. */
const MARKS = 0xe000;
const MARK = /[\ue000-\ue0ff]/;

/**
 * Reads a filter (RFC 4515) with `{name}` placeholders in its values. Blanks and ends of lines between parentheses are allowed.
 * @throws ConfigError for other placeholders than `allowed`, and for what is no filter; the message starts with `option`
 */
export function parseFilter(source: string, allowed: readonly string[], option: string): FilterTemplate {
  const refuse = (reason: string): ConfigError => new ConfigError(`${option}: ${source.trim()}: no filter: ${reason}`);
  const root = compile(parse(source, allowed, refuse), allowed, refuse);
  const holders = [...holdersIn(root)];
  // Then one tree with all the values in one place says the same as an OR of as many trees, and is less to send and to match.
  const distributes = holders.length <= 1 && !holders.some(({ negated }) => negated);
  const fill = (values: FilterValues): Filter | undefined => {
    const filter = root.fill(values);
    if (filter === true) return ANYTHING;
    return filter === false ? undefined : filter;
  };
  return {
    placeholders: new Set(holders.flatMap(({ names }) => names)),
    attributes: [...new Set(holders.map(({ attribute }) => attribute))],
    usesChainRule: source.includes(CHAIN_RULE),
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

/** A filter that matches what both match. */
export function both(filter: Filter, other: Filter | undefined): Filter {
  return other === undefined ? filter : new AndFilter({ filters: [filter, other] });
}

/**
 * By ldapts' parser, which reads an escape such as \c3\a9 as two characters. So it gets the bytes of the text as characters: then all
 * its values are bytes, whichever way they were written. It accepts filters without their last parenthesis, and no blanks between them.
 */
function parse(source: string, allowed: readonly string[], refuse: (reason: string) => ConfigError): Filter {
  const marked = Buffer.from(source.trim(), 'utf8')
    .toString('latin1')
    .replace(/([&|!])\s+(?=\()|(\))\s+(?=[()])/g, '$1$2')
    .replace(/\{([^{}]*)\}|[{}]/g, (piece, name: string | undefined) => {
      const index = allowed.indexOf(name ?? '');
      if (index >= 0) return String.fromCharCode(MARKS + index);
      const list = allowed.map((each) => `{${each}}`).join(' ') || 'none';
      throw refuse(`unknown placeholder ${piece} (allowed here: ${list}; a brace itself is written \\7b or \\7d)`);
    });
  if (marked.split('(').length !== marked.split(')').length) throw refuse('as many opening as closing parentheses are needed');
  try {
    return FilterParser.parseString(marked);
  } catch (error) {
    throw refuse(explain(error));
  }
}

/** A part of a filter. Filling it gives `false` for what can't match and `true` for what always does: neither has a form that all servers know. */
interface Node {
  readonly children: readonly Node[];
  readonly negates?: boolean;
  /** For a comparison with placeholders in its value. */
  readonly holder?: { readonly names: readonly string[]; readonly attribute: string };
  fill(values: FilterValues): Filter | boolean;
}

function* holdersIn(node: Node, negated = false): Iterable<{ names: readonly string[]; attribute: string; negated: boolean }> {
  if (node.holder !== undefined) yield { ...node.holder, negated };
  for (const child of node.children) yield* holdersIn(child, negated || node.negates === true);
}

function compile(filter: Filter, allowed: readonly string[], refuse: (reason: string) => ConfigError): Node {
  if (filter instanceof NotFilter) {
    const child = compile(filter.filter, allowed, refuse);
    const fill: Node['fill'] = (values) => {
      const inner = child.fill(values);
      return typeof inner === 'boolean' ? !inner : new NotFilter({ filter: inner });
    };
    return { children: [child], negates: true, fill };
  }
  if (!(filter instanceof AndFilter || filter instanceof OrFilter)) return compileLeaf(filter, allowed, refuse);
  const children = filter.filters.map((each) => compile(each, allowed, refuse));
  const decisive = filter instanceof OrFilter;
  return {
    children,
    fill(values) {
      const parts = children.map((child) => child.fill(values));
      if (parts.includes(decisive)) return decisive;
      const filters = parts.filter((part) => typeof part !== 'boolean');
      if (filters.length < 2) return filters[0] ?? !decisive;
      return decisive ? new OrFilter({ filters }) : new AndFilter({ filters });
    },
  };
}

function compileLeaf(filter: Filter, allowed: readonly string[], refuse: (reason: string) => ConfigError): Node {
  const [attribute, values] = valuesOf(filter);
  const templates = values.map((value) => value.split(MARK).map((piece) => Buffer.from(piece, 'latin1')));
  const marks = [...new Set(values.flatMap((value) => value.match(new RegExp(MARK, 'g')) ?? []))];
  const names = marks.map((mark) => allowed[mark.charCodeAt(0) - MARKS] ?? '');
  const [[bytes] = []] = templates;
  if (filter instanceof EqualityFilter && names.length === 0 && bytes !== undefined && !isUtf8(bytes)) {
    const finished = new EqualityFilter({ attribute, value: bytes });
    return { children: [], fill: () => finished };
  }
  if (!templates.flat().every((piece) => isUtf8(piece)))
    throw refuse("bytes that aren't UTF-8 can only be compared by =, without placeholders");
  const texts = values.map((value) =>
    value.split(new RegExp(`(${MARK.source})`)).map((piece) => (MARK.test(piece) ? piece : Buffer.from(piece, 'latin1').toString())),
  );
  const finish = (choice: ReadonlyMap<string, string>): Filter =>
    withValues(
      filter,
      attribute,
      texts.map((pieces) => pieces.map((piece) => choice.get(piece) ?? piece).join('')),
    );
  if (names.length === 0) {
    const finished = finish(new Map());
    return { children: [], fill: () => finished };
  }
  return {
    children: [],
    holder: { names, attribute },
    fill(given) {
      let choices: readonly ReadonlyMap<string, string>[] = [new Map()];
      for (const [index, name] of names.entries()) {
        const mark = marks[index] ?? '';
        choices = choices.flatMap((choice) => (given[name] ?? []).map((value) => new Map([...choice, [mark, value]])));
      }
      return anyOf(choices.map(finish)) ?? false;
    },
  };
}

function valuesOf(filter: Filter): readonly [attribute: string, values: readonly string[]] {
  if (filter instanceof SubstringFilter) return [filter.attribute, [filter.initial, ...filter.any, filter.final]];
  if (filter instanceof ExtensibleFilter) return [filter.matchType, [filter.value]];
  if (filter instanceof EqualityFilter) return [filter.attribute, [String(filter.value)]];
  if (filter instanceof GreaterThanEqualsFilter || filter instanceof LessThanEqualsFilter || filter instanceof ApproximateFilter) {
    return [filter.attribute, [filter.value]];
  }
  return ['', []];
}

/** A copy of a comparison, with other values. */
function withValues(filter: Filter, attribute: string, values: readonly string[]): Filter {
  const [value = ''] = values;
  if (filter instanceof SubstringFilter) {
    return new SubstringFilter({ attribute, initial: value, any: values.slice(1, -1), final: values.at(-1) ?? '' });
  }
  if (filter instanceof ExtensibleFilter) {
    return new ExtensibleFilter({ matchType: attribute, rule: filter.rule, dnAttributes: filter.dnAttributes, value });
  }
  if (filter instanceof EqualityFilter) return new EqualityFilter({ attribute, value });
  if (filter instanceof GreaterThanEqualsFilter) return new GreaterThanEqualsFilter({ attribute, value });
  if (filter instanceof LessThanEqualsFilter) return new LessThanEqualsFilter({ attribute, value });
  return filter instanceof ApproximateFilter ? new ApproximateFilter({ attribute, value }) : filter;
}
