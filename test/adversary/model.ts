/**
 * Which groups may this login be given? The contract's answer, small and slow, written apart from the program: shares no code with src/.
 *
 * Sources count as they were at any moment from the beginning of a lookup, and a lookup may have begun `ttl` before the login came. With a
 * fault in that time, an answer from as long ago as `stale_ttl` may stand in.
 */
import { type Field, groupsGiven, once, type Reading, type Version } from './dovecot.js';

/** A group as a source has it. */
export interface SourceGroup {
  readonly name: string;
  /** Why it can't be granted. */
  readonly skip?: string;
  /** Whether the user should have had it. */
  readonly incomplete?: boolean;
}

/** What a source says of somebody; `undefined`: it doesn't know him. */
export type State = readonly SourceGroup[] | undefined;

/** The configuration, as far as it decides about groups. Times in milliseconds. */
export interface Rules {
  readonly onError: 'deny' | 'continue';
  readonly onIncomplete: 'warn' | 'deny';
  readonly userFormat: 'full' | 'local';
  readonly masterUser: 'auto' | 'user' | 'master';
  readonly version: Version;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly rename: readonly (readonly [string, string])[];
  readonly add: readonly string[];
  readonly lower: boolean;
  readonly ttl: number;
  readonly staleTtl: number;
  readonly timeout: number;
}

/** What becomes of a login: the groups that Dovecot adds in the end, or the end of the login, or nothing changed. */
export type Outcome = Reading | 'deny' | 'unknown';

/** What one source came to in a lookup. */
export type Result = State | 'failed';

/** A login. */
export interface Login {
  readonly user: string;
  readonly fields: readonly Field[];
}

/** Whose groups a login gets, and by which account. A master user has none of the user's. */
export function lookedUp(login: Login, rules: Rules): { readonly name: string; readonly account: string } {
  const last = (key: string): string | undefined => login.fields.findLast((field) => field.key === key)?.value;
  const master = last('master_user') ?? '';
  if (master !== '' && getsMasters(master, last, rules)) return { name: master, account: localPart(master, rules) };
  const system = last('system_groups_user') ?? '';
  return { name: login.user, account: system !== '' ? system : localPart(login.user, rules) };
}

/** By the option, or by whom Dovecot checks ACLs for. */
function getsMasters(master: string, last: (key: string) => string | undefined, { masterUser, version }: Rules): boolean {
  if (masterUser !== 'auto') return masterUser === 'master';
  if (version === '2.3') return (last('plugin/acl_user') ?? last('acl_user') ?? master) === master;
  return (last('acl_user') ?? last('master')) === master;
}

function localPart(name: string, { userFormat }: Rules): string {
  const at = name.indexOf('@');
  return userFormat === 'local' && at >= 0 ? name.slice(0, at) : name;
}

/** The outcome when the sources, in configured order, came to these results. */
export function outcomeOf(results: readonly Result[], login: Login, rules: Rules): Outcome {
  const final = results.map((result) => (failsByIncomplete(result, rules) ? 'failed' : result));
  if (rules.onError === 'deny' && final.includes('failed')) return 'deny';
  if (final.every((result) => result === undefined)) return 'unknown';
  const given = groupsGiven(login.fields, login.user, rules.version);
  if (given === 'dies') return given;
  const known = results.some((result) => result !== undefined && result !== 'failed');
  const groups = final.flatMap((result) => (result === undefined || result === 'failed' ? [] : grantedOf(result, rules)));
  const names = [...groups, ...(known ? rules.add : [])];
  return once([...given, ...names.filter((name) => canBeWritten(name, rules.version))]);
}

/** A source that names groups which can't be read has failed, if the configuration says so, unless they are excluded anyway. */
export function failsByIncomplete(result: Result, { onIncomplete, exclude }: Rules): boolean {
  if (onIncomplete === 'warn' || result === undefined || result === 'failed') return false;
  return result.some(({ name, incomplete }) => incomplete === true && !exclude.some((glob) => fits(glob, name)));
}

function grantedOf(state: readonly SourceGroup[], { include, exclude, rename, lower }: Rules): readonly string[] {
  return state
    .filter(({ skip }) => skip === undefined)
    .map(({ name }) => name)
    .filter((name) => include.length === 0 || include.some((glob) => fits(glob, name)))
    .filter((name) => !exclude.some((glob) => fits(glob, name)))
    .map((name) => rename.findLast(([from]) => from === name)?.[1] ?? name)
    .map((name) => (lower ? name.toLowerCase() : name));
}

/** `*` is any text, `?` one character, `\` takes the next one as it is. */
function fits(glob: string, name: string): boolean {
  const [first, ...rest] = [...glob];
  const [head, ...tail] = [...name];
  if (first === undefined) return head === undefined;
  if (first === '*') return fits(rest.join(''), name) || (head !== undefined && fits(glob, tail.join('')));
  if (head === undefined) return false;
  if (first === '\\' && rest.length > 0) return rest[0] === head && fits(rest.slice(1).join(''), tail.join(''));
  return (first === '?' || first === head) && fits(rest.join(''), tail.join(''));
}

function canBeWritten(name: string, version: Version): boolean {
  if (name === '' || /[\p{Cc}\p{Zl}\p{Zp}]/u.test(name)) return false;
  return version !== '2.3' || !name.includes(',');
}

/** What happened to one source, for one subject. */
export interface History {
  /** The states that there were between two moments, each once. */
  states(from: number, to: number): readonly State[];
  /** Whether the source failed between two moments. */
  failed(from: number, to: number): boolean;
}

/** A login from its coming to its answer. */
export interface Span {
  readonly from: number;
  readonly to: number;
  /** The clock at both ends, in milliseconds. */
  readonly came: number;
  readonly answered: number;
}

/** The first moment at which the clock showed as much. */
export type MomentAt = (clock: number) => number;

/** All that the login may be told. */
export function allowedOutcomes(
  login: Login,
  histories: readonly History[],
  span: Span,
  rules: Rules,
  momentAt: MomentAt,
): readonly Outcome[] {
  const { ttl, staleTtl, timeout } = rules;
  const since = Math.min(span.from, momentAt(span.came - ttl + 1));
  const fresh = histories.map((history): readonly Result[] => [
    ...history.states(since, span.to),
    ...(history.failed(since, span.to) ? (['failed'] as const) : []),
  ]);
  const outcomes = combinations(fresh).map((results) => outcomeOf(results, login, rules));
  const waited = span.answered - span.came;
  // A source that failed isn't asked again for a while, as long as there is a stale answer.
  const pause = Math.min(span.from, momentAt(span.came - Math.min(ttl, 5000)));
  const mayBeStale =
    waited >= timeout / 2 ||
    histories.some(
      (history) =>
        history.failed(Math.min(pause, since), span.to) ||
        history.states(Math.min(pause, since), span.to).some((state) => failsByIncomplete(state, rules)),
    );
  if (mayBeStale && staleTtl > 0) {
    const old = histories.map((history) => history.states(Math.min(span.from, momentAt(span.came - staleTtl)), span.to));
    outcomes.push(
      ...combinations(old)
        .map((results) => outcomeOf(results, login, rules))
        .filter((outcome) => outcome !== 'deny'),
    );
  }
  if (waited >= timeout) outcomes.push('deny');
  return outcomes;
}

/** The history of a source whose states follow one another in order; `moment` counts what was done. */
export function historyOf(states: readonly { readonly moment: number; readonly state: State }[], faults: readonly number[]): History {
  return {
    states(from, to) {
      const at = states.findLastIndex(({ moment }) => moment <= from);
      const found = states.slice(Math.max(at, 0)).filter(({ moment }) => moment <= to);
      return distinct(at < 0 ? [undefined, ...found.map(({ state }) => state)] : found.map(({ state }) => state));
    },
    failed: (from, to) => faults.some((fault) => fault >= from && fault <= to),
  };
}

/** States, each once. */
export function distinct(states: readonly State[]): readonly State[] {
  return [...new Map(states.map((state) => [JSON.stringify(state), state])).values()];
}

/** All ways of taking one of each. */
export function combinations<Value>(choices: readonly (readonly Value[])[]): Value[][] {
  return choices.reduce<Value[][]>((before, values) => before.flatMap((some) => values.map((value) => [...some, value])), [[]]);
}
