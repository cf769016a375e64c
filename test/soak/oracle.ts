/** Judges answers by the model of the adversary, from what the sources were and what the weather was like. */
import { allowedOutcomes, type History, type Outcome, type Rules } from '../adversary/model.js';
import type { Source } from './sources.js';
import type { Timeline } from './timeline.js';
import type { Spell, Weather } from './weather.js';

/** How a login came in. */
export type Door = 'userdb' | 'post-login' | 'exec' | 'imap';

/** What became of a question. `lost`: the connection ended without a word, which is how the post-login protocol says "denied", too. */
export interface Answer {
  readonly door: Door;
  readonly user: string;
  readonly came: number;
  readonly answered: number;
  readonly outcome: Outcome | 'lost' | 'silence';
  /** What was said, for reports. */
  readonly text: string;
}

/** `wrong`: groups that were not the user's. `causeless`: denied, or lost, without a fault to show for it. */
export type Verdict = 'right' | 'denied' | 'lost' | 'wrong' | 'denied without cause' | 'lost without cause';

/** A judgement, with what was allowed. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly allowed: readonly Outcome[];
  readonly faults: readonly Spell[];
}

/** Judges an answer. */
export type Oracle = (answer: Answer) => Judgement;

export function createOracle(sources: readonly Source[], rules: Timeline<Rules>, weather: Weather): Oracle {
  return (answer) => {
    const { user, came, answered, door, outcome } = answer;
    const ttl = Math.max(...rules.values(came, answered).map((each) => each.ttl));
    const isFelt = ({ effects }: Spell): boolean => door !== 'exec' || effects.execToo === true;
    const faults = weather.felt(came - ttl, answered).filter(isFelt);
    if (outcome === 'lost' && faults.some(({ effects }) => effects.loses)) return { verdict: 'lost', allowed: [], faults };
    const histories = sources.map(
      (source): History => ({
        states: (from, to) => source.states(user, from, to),
        failed: (from, to) => weather.felt(from, to).some((spell) => isFelt(spell) && spell.effects.sources?.includes(source.name)),
      }),
    );
    // Moments are milliseconds, and not whole ones: nothing may be a part of one older than it should.
    const momentAt = (clock: number): number => clock - 1;
    // Exec mode's answers are kept by the launcher, which is told of a new configuration by file times; it has no stale ones.
    const inForce = rules.values(door === 'exec' ? came - ttl : came, answered);
    const allowed = inForce.flatMap((each) =>
      allowedOutcomes(
        { user, fields: [] },
        histories,
        { from: came, to: answered, came, answered },
        door === 'exec' ? { ...each, staleTtl: 0 } : each,
        momentAt,
      ),
    );
    if (outcome === 'deny' || outcome === 'lost') {
      const hasCause = faults.some(({ effects }) => effects.denies) || (allowed.includes('deny') && faults.length > 0);
      if (hasCause) return { verdict: 'denied', allowed, faults };
      return { verdict: outcome === 'deny' ? 'denied without cause' : 'lost without cause', allowed, faults };
    }
    const given = comparable(door, outcome);
    return { verdict: allowed.some((each) => comparable(door, each) === given) ? 'right' : 'wrong', allowed, faults };
  };
}

/** Dovecot's log has the groups of a session in an order of its own, and none for a user who is unknown. */
function comparable(door: Door, outcome: Answer['outcome']): string {
  if (door !== 'imap') return JSON.stringify(outcome);
  return JSON.stringify(outcome === 'unknown' ? [] : typeof outcome === 'string' ? outcome : [...outcome].sort());
}
