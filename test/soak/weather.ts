/** What goes wrong, when, and with what. */
import type { SourceName } from './sources.js';
import { now } from './timeline.js';

/** What a fault may do to answers; one that may do nothing is weather all the same. */
export interface Effects {
  /** Sources that may fail, so that there may be stale answers and denials. */
  readonly sources?: readonly SourceName[];
  /** The service may deny whatever the sources say: it has no configuration, or nothing left to work with. */
  readonly denies?: boolean;
  /** Connections may be lost. */
  readonly loses?: boolean;
  /** Whether exec mode feels it as well as the service. */
  readonly execToo?: boolean;
}

/** A fault from its beginning to its end; `until` is infinite while it lasts. */
export interface Spell {
  readonly name: string;
  readonly effects: Effects;
  readonly from: number;
  readonly until: number;
  /** Until when what began during it may still suffer. */
  readonly felt: number;
}

/** All faults so far. */
export interface Weather {
  readonly spells: readonly Spell[];
  /** A fault begins; returns what ends it. */
  begin(name: string, effects: Effects): () => void;
  /** One that was noticed afterwards, which has lasted for so many milliseconds. */
  noticed(name: string, effects: Effects, lasted: number): void;
  /** Those that may have been felt between two moments. */
  felt(from: number, to: number): readonly Spell[];
  /** The names of those that lasted between two moments. */
  names(from: number, to: number): readonly string[];
}

/** Milliseconds in which those who were held up are answered. */
const MOMENT = 500;

/** Fair weather. `tail`: how long lookups may last that a fault has reached, in milliseconds. */
export function createWeather(tail: number): Weather {
  const spells: { name: string; effects: Effects; from: number; until: number; felt: number }[] = [];
  /** Those before this one are over for good. */
  let first = 0;
  const during = (from: number, to: number, end: 'until' | 'felt'): Spell[] => {
    const found: Spell[] = [];
    for (let index = first; index < spells.length; index++) {
      const spell = spells[index];
      if (spell !== undefined && spell.from <= to && spell[end] >= from) found.push(spell);
    }
    return found;
  };
  return {
    spells,
    begin(name, effects) {
      const from = now();
      while ((spells[first]?.felt ?? Number.POSITIVE_INFINITY) < from - 120_000) first++;
      const spell = { name, effects, from, until: Number.POSITIVE_INFINITY, felt: Number.POSITIVE_INFINITY };
      spells.push(spell);
      return () => {
        spell.until = now();
        spell.felt = spell.until + tail;
      };
    },
    noticed(name, effects, lasted) {
      const until = now();
      spells.push({ name, effects, from: until - lasted, until, felt: until + MOMENT });
    },
    felt: (from, to) => during(from, to, 'felt'),
    names: (from, to) => [...new Set(during(from, to, 'until').map(({ name }) => name))],
  };
}
