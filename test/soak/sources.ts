/** Sources of groups that change all the time, each with a history of what it said of whom. */
import { setTimeout as pass } from 'node:timers/promises';
import { distinct, type State } from '../adversary/model.js';
import type { Draw } from './draw.js';
import { type Timeline, timelineOf } from './timeline.js';

export const SOURCE_NAMES = ['unix', 'ldap', 'file'] as const;
export type SourceName = (typeof SOURCE_NAMES)[number];

/** A source, as the oracle knows it. */
export interface Source {
  readonly name: SourceName;
  /** What it may have said of a user between two moments, the ends included. */
  states(user: string, from: number, to: number): readonly State[];
  /** Changes something, drawn by lot. Returns when nobody can see what was before. */
  change(draw: Draw): Promise<void>;
  close(): Promise<void>;
}

/** What a source has of each user: whether it knows him, and his groups as bits by position. They are read one after the other. */
export interface Facts {
  readonly known: ReadonlyMap<string, Timeline<boolean>>;
  readonly member: ReadonlyMap<string, Timeline<number>>;
}

/** Facts to begin with, drawn by lot. */
export function drawFacts(users: readonly string[], groups: number, draw: Draw): Facts {
  return {
    known: new Map(users.map((user) => [user, timelineOf(draw.below(10) > 0)])),
    member: new Map(users.map((user) => [user, timelineOf(draw.below(2 ** groups))])),
  };
}

/** All that a source may have said, by its facts; `stateOf` says what they mean. */
export function statesBy({ known, member }: Facts, user: string, from: number, to: number, stateOf: (bits: number) => State): State[] {
  const exists = known.get(user)?.values(from, to) ?? [false];
  const bits = member.get(user)?.values(from, to) ?? [0];
  return [...distinct(exists.flatMap((is) => (is ? bits.map(stateOf) : [undefined])))];
}

/** A group of somebody, changed; now and then whether he is known. */
export interface Step {
  readonly user: string;
  readonly what: 'known' | 'member';
  /** Which group. */
  readonly bit: number;
}

/** What is to change next. */
export function drawStep(users: readonly string[], groups: number, draw: Draw): Step {
  return { user: draw.of(users), what: draw.below(8) === 0 ? 'known' : 'member', bit: draw.below(groups) };
}

/** Has sources change until told to stop: each by itself, because a directory may be slow or gone. Milliseconds between changes. */
export function keepChanging(sources: readonly Source[], draw: Draw, pause: number): { stop(): Promise<void> } {
  let stopped = false;
  const loops = sources.map(async (source) => {
    while (!stopped) {
      await pass(draw.between(0, 2 * pause));
      await source.change(draw);
    }
  });
  return {
    async stop() {
      stopped = true;
      for (const source of sources) await source.close();
      await Promise.all(loops);
    },
  };
}
