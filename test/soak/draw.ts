/** Lots that are the same for the same seed. */
export interface Draw {
  /** A whole number from 0 to below `limit`. */
  below(limit: number): number;
  /** A number between two. */
  between(least: number, most: number): number;
  /** One of several. @throws Error where there is none */
  of<Value>(values: readonly Value[]): Value;
}

/** Lots by mulberry32, which is small and good enough to choose the weather by. */
export function drawBy(seed: number): Draw {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    below,
    between: (least, most) => least + next() * (most - least),
    of(values) {
      const value = values[below(values.length)];
      if (value === undefined) throw new Error('nothing to draw from');
      return value;
    },
  };
}
