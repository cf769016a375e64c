import { isUtf8 } from 'node:buffer';
import { AndFilter, EqualityFilter, type Filter, FilterParser, NotFilter, OrFilter, PresenceFilter } from 'ldapts';
import { ConfigError, explain } from '../support/errors.js';

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
const MARK = /([\ue000-\ue0ff])/;

/**
 * Reads a filter (RFC 4515) with `{name}` placeholders in its values. Blanks and ends of lines between parentheses are allowed.
 * @throws ConfigError for other placeholders than `allowed`, and for what is no filter; the message starts with `option`
 */
export function parseFilter(source: string, allowed: readonly string[], option: string): FilterTemplate {
  const refuse = (reason: string): ConfigError => new ConfigError(`${option}: ${source.trim()}: no filter: ${reason}`);
  const root = parse(source, allowed, refuse);
  const slots = new Map(leavesOf(root, false).map(({ leaf, negated }) => [leaf, slotOf(leaf, negated, allowed, refuse)]));
  const holders = [...slots.values()].filter(({ names }) => names.length > 0);
  const fill = (values: FilterValues): Filter | undefined => {
    const filter = filled(root, (leaf) => slots.get(leaf)?.fill(values) ?? false);
    if (filter === true) return ANYTHING;
    return filter === false ? undefined : filter;
  };
  return {
    placeholders: new Set(holders.flatMap(({ names }) => names)),
    attributes: [...new Set(holders.map(({ attribute }) => attribute))],
    usesChainRule: source.includes(CHAIN_RULE),
    fill,
    fillAny(placeholder, values) {
      // Then one tree with all the values in one place says the same as an OR of as many trees, and is less to send and to match.
      if (holders.length <= 1 && !holders[0]?.negated) return fill({ [placeholder]: values });
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

function leavesOf(filter: Filter, negated: boolean): readonly { readonly leaf: Filter; readonly negated: boolean }[] {
  if (filter instanceof NotFilter) return leavesOf(filter.filter, true);
  if (filter instanceof AndFilter || filter instanceof OrFilter) return filter.filters.flatMap((each) => leavesOf(each, negated));
  return [{ leaf: filter, negated }];
}

/** The tree with its leaves replaced: `false` for what can't match and `true` for what always does, neither of which has a form that all servers know. */
function filled(filter: Filter, leaf: (filter: Filter) => Filter | false): Filter | boolean {
  if (filter instanceof NotFilter) {
    const inner = filled(filter.filter, leaf);
    return typeof inner === 'boolean' ? !inner : new NotFilter({ filter: inner });
  }
  if (!(filter instanceof AndFilter || filter instanceof OrFilter)) return leaf(filter);
  const parts = filter.filters.map((each) => filled(each, leaf));
  const decisive = filter instanceof OrFilter;
  if (parts.includes(decisive)) return decisive;
  const filters = parts.filter((part) => typeof part !== 'boolean');
  if (filters.length < 2) return filters[0] ?? !decisive;
  return decisive ? new OrFilter({ filters }) : new AndFilter({ filters });
}

/** A comparison of a template. */
interface Slot {
  readonly attribute: string;
  readonly negated: boolean;
  /** The placeholders in its values. */
  readonly names: readonly string[];
  /** The comparison with each combination of the values of its placeholders; `false` if one of them has none. */
  fill(values: FilterValues): Filter | false;
}

/** What ldapts' comparisons hold. */
type Comparison = Filter & Readonly<Record<string, unknown>> & { readonly attribute?: string; readonly matchType?: string };

/** Reads the values of a comparison once, and not for each lookup. */
function slotOf(leaf: Filter, negated: boolean, allowed: readonly string[], refuse: (reason: string) => ConfigError): Slot {
  const { attribute, matchType, ...rest } = leaf as Comparison;
  const names = new Set<string>();
  /** Texts, and at odd places the names of placeholders. */
  const read = (value: string): readonly string[] | { readonly bytes: Buffer } => {
    const pieces = value.split(MARK);
    const isText = pieces.every((piece, index) => index % 2 === 1 || isUtf8(Buffer.from(piece, 'latin1')));
    if (!isText && leaf instanceof EqualityFilter && pieces.length === 1) return { bytes: Buffer.from(value, 'latin1') };
    if (!isText) throw refuse("bytes that aren't UTF-8 can only be compared by =, without placeholders");
    return pieces.map((piece, index) => {
      if (index % 2 === 0) return Buffer.from(piece, 'latin1').toString();
      const name = allowed[piece.charCodeAt(0) - MARKS] ?? '';
      names.add(name);
      return name;
    });
  };
  const lists = ['value', 'initial', 'any', 'final']
    .filter((key) => key in rest)
    .map((key) => ({ key, list: [rest[key]].flat().map((each) => read(String(each))) }));
  const filledBy = (choice: Readonly<Record<string, string>>): Filter => {
    const put = (pieces: ReturnType<typeof read> = []): string | Buffer =>
      'bytes' in pieces ? pieces.bytes : pieces.map((piece, index) => (index % 2 === 0 ? piece : choice[piece])).join('');
    const copy = Object.assign(Object.create(Object.getPrototypeOf(leaf)), leaf);
    for (const { key, list } of lists) copy[key] = key === 'any' ? list.map(put) : put(list[0]);
    return copy;
  };
  const constant = names.size === 0 ? filledBy({}) : undefined;
  return {
    attribute: matchType ?? attribute ?? '',
    negated,
    names: [...names],
    fill(values) {
      if (constant !== undefined) return constant;
      let choices: readonly Readonly<Record<string, string>>[] = [{}];
      for (const name of names) choices = choices.flatMap((choice) => (values[name] ?? []).map((value) => ({ ...choice, [name]: value })));
      return anyOf(choices.map(filledBy)) ?? false;
    },
  };
}
