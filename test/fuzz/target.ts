import type fc from 'fast-check';

/** Something that reads what comes from outside, and what has to hold of it whatever comes. */
export interface Target {
  readonly name: string;
  /** Inputs by the grammar of what is read, and by its edges. Texts are bytes, one character each, unless the target says otherwise. */
  readonly inputs: fc.Arbitrary<string>;
  /** What means something in such an input: mutations put it anywhere. */
  readonly tokens: readonly string[];
  /** @throws for an input that is read wrongly */
  readonly check: (input: string) => void;
}

/** Some number below `most` that an input has and keeps: where to cut it, say. */
export function numberOf(input: string, salt: number, most: number): number {
  let hash = salt;
  for (let index = 0; index < input.length; index++) hash = Math.imul(hash ^ input.charCodeAt(index), 0x0100_0193);
  return ((hash ^ (hash >>> 15)) >>> 0) % most;
}

/** An input in three pieces, cut anywhere. */
export function inPieces(bytes: Buffer, input: string): readonly Buffer[] {
  const cuts = [1, 2].map((salt) => numberOf(input, salt, bytes.length + 1)).sort((a, b) => a - b);
  const edges = [0, ...cuts, bytes.length];
  return edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge));
}
