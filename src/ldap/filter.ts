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
  const leaves = [...leavesOf(root, false)].map(({ leaf, negated }) => {
    const names = new Set(valuesOf(leaf).flatMap((value) => value.split(MARK).flatMap((piece) => nameOf(piece, allowed) ?? [])));
    const isText = valuesOf(leaf).every((value) =>
      value.split(MARK).every((piece) => MARK.test(piece) || isUtf8(Buffer.from(piece, 'latin1'))),
    );
    if (!isText && !(leaf instanceof EqualityFilter && names.size === 0))
      throw refuse("bytes that aren't UTF-8 can only be compared by =, without placeholders");
    return { leaf, negated, names: [...names] };
  });
  const holders = leaves.filter(({ names }) => names.length > 0);
  const namesIn = new Map(holders.map(({ leaf, names }) => [leaf, names]));
  const fill = (values: FilterValues): Filter | undefined => {
    const filter = filled(root, (leaf) => comparisons(leaf, namesIn.get(leaf) ?? [], allowed, values));
    if (filter === true) return ANYTHING;
    return filter === false ? undefined : filter;
  };
  return {
    placeholders: new Set(holders.flatMap(({ names }) => names)),
    attributes: [...new Set(holders.map(({ leaf }) => attributeOf(leaf)))],
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

function* leavesOf(filter: Filter, negated: boolean): Iterable<{ readonly leaf: Filter; readonly negated: boolean }> {
  if (filter instanceof NotFilter) yield* leavesOf(filter.filter, true);
  else if (filter instanceof AndFilter || filter instanceof OrFilter) for (const each of filter.filters) yield* leavesOf(each, negated);
  else yield { leaf: filter, negated };
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

/** A comparison with each combination of the values of its placeholders; `false` if one of them has none. */
function comparisons(leaf: Filter, names: readonly string[], allowed: readonly string[], values: FilterValues): Filter | false {
  const choices = names.reduce<readonly Readonly<Record<string, string>>[]>(
    (all, name) => all.flatMap((choice) => (values[name] ?? []).map((value) => ({ ...choice, [name]: value }))),
    [{}],
  );
  return anyOf(choices.map((choice) => withValues(leaf, (piece) => choice[nameOf(piece, allowed) ?? '']))) ?? false;
}

/** What ldapts' comparisons hold. */
type Comparison = Filter & { attribute?: string; matchType?: string; value?: string; initial?: string; any?: string[]; final?: string };

function attributeOf({ matchType, attribute }: Comparison): string {
  return matchType ?? attribute ?? '';
}

function valuesOf({ value, initial, any, final }: Comparison): readonly string[] {
  return [value, initial, ...(any ?? []), final].filter((each) => each !== undefined);
}

/** A copy of a comparison, with its values decoded and its placeholders filled. */
function withValues(leaf: Comparison, fill: (mark: string) => string | undefined): Filter {
  const decoded = (value: string): string | Buffer => {
    const bytes = Buffer.from(value, 'latin1');
    const pieces = value.split(MARK).map((piece) => fill(piece) ?? Buffer.from(piece, 'latin1').toString());
    return MARK.test(value) || isUtf8(bytes) ? pieces.join('') : bytes;
  };
  const copy = Object.entries(leaf).map(([key, value]) => {
    if (key === 'any') return [key, value.map(decoded)];
    return [key, key === 'value' || key === 'initial' || key === 'final' ? decoded(value) : value];
  });
  return Object.assign(Object.create(Object.getPrototypeOf(leaf)), Object.fromEntries(copy));
}

/** The placeholder that a character stands for. */
function nameOf(mark: string, allowed: readonly string[]): string | undefined {
  return MARK.test(mark) ? allowed[mark.charCodeAt(0) - MARKS] : undefined;
}
