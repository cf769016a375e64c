import { expect, it } from 'vitest';
import type { Rules } from '../adversary/model.js';
import { type Answer, createOracle, type Verdict } from './oracle.js';
import type { Source } from './sources.js';
import { now, timelineOf } from './timeline.js';
import { createWeather } from './weather.js';

const RULES: Rules = {
  onError: 'deny',
  onIncomplete: 'warn',
  userFormat: 'full',
  masterUser: 'user',
  version: '2.4',
  include: [],
  exclude: [],
  rename: [],
  add: [],
  lower: false,
  ttl: 500,
  staleTtl: 4000,
  timeout: 4000,
};

/** A source that had one group until some milliseconds after the beginning of time, and another one from then on. */
const sourceThatChanged = (at: number): Source => ({
  name: 'ldap',
  states: (_user, from, to) => [...(from < at ? [[{ name: 'old' }]] : []), ...(to >= at ? [[{ name: 'new' }]] : [])],
  change: async () => {},
  close: async () => {},
});

const CHANGED = 100_000;

/** What becomes of an answer that took 10 ms, so long after the change. `fault` lasts all the time. */
function judged(
  after: number,
  outcome: Answer['outcome'],
  options: { readonly fault?: object; readonly door?: Answer['door'] } = {},
): Verdict {
  const weather = createWeather(0);
  if (options.fault !== undefined) weather.begin('a fault', options.fault);
  const began = now() + CHANGED;
  const oracle = createOracle([sourceThatChanged(began)], timelineOf(RULES), weather);
  const came = began + after;
  return oracle({ door: options.door ?? 'userdb', user: 'alice', came, answered: came + 10, outcome, text: '' }).verdict;
}

const FAILS = { sources: ['ldap'] };

it.each<[number, Answer['outcome'], Parameters<typeof judged>[2], Verdict]>([
  [-5, ['old'], {}, 'right'],
  [-5, ['new'], {}, 'right'],
  [-20, ['new'], {}, 'wrong'],
  [499, ['old'], {}, 'right'],
  [502, ['old'], {}, 'wrong'],
  [502, ['old'], { fault: FAILS }, 'right'],
  [3999, ['old'], { fault: FAILS }, 'right'],
  [4002, ['old'], { fault: FAILS }, 'wrong'],
  [502, ['old'], { fault: { sources: ['unix'], denies: true, loses: true } }, 'wrong'],
  // Exec mode has no stale answers, and doesn't feel what becomes of the service.
  [502, ['old'], { fault: { ...FAILS, execToo: true }, door: 'exec' }, 'wrong'],
  [502, 'deny', { fault: { ...FAILS, execToo: true }, door: 'exec' }, 'denied'],
  [502, 'deny', { fault: FAILS, door: 'exec' }, 'denied without cause'],
  [502, 'deny', {}, 'denied without cause'],
  [502, 'deny', { fault: FAILS }, 'denied'],
  [502, 'deny', { fault: { denies: true } }, 'denied'],
  [502, 'deny', { fault: { loses: true } }, 'denied without cause'],
  [502, 'lost', { fault: { loses: true } }, 'lost'],
  [502, 'lost', {}, 'lost without cause'],
  [502, 'unknown', { fault: FAILS }, 'wrong'],
  [502, 'silence', { fault: FAILS }, 'wrong'],
  [502, ['new', 'old'], { fault: FAILS }, 'wrong'],
])('%i ms after a change, the answer %j with %j is %s', (after, outcome, options, verdict) => {
  expect(judged(after, outcome, options)).toBe(verdict);
});
