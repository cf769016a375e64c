/** What one contestant did in one round. Times are milliseconds. */
export interface Sample {
  /** How long each operation took. */
  readonly latencies: readonly number[];
  /** The operations of `latencies` took this long together; less than their sum where several ran at once. */
  readonly elapsed: number;
  /** How many operations one latency stands for, where one is too short for the clock. */
  readonly batch?: number;
}

/** Something that is measured against others. */
export interface Contestant {
  readonly name: string;
  /** Does one round's operations. */
  round(): Promise<Sample>;
}

/** All rounds of one contestant. */
export interface Measured {
  readonly name: string;
  readonly samples: readonly Sample[];
}

/** Figures over all rounds of a contestant. */
export interface Summary {
  /** Median, in milliseconds. */
  readonly p50: number;
  /** The time that 99 of 100 operations stayed within, in milliseconds. */
  readonly p99: number;
  /** Operations a second. */
  readonly rate: number;
  /** How many operations were measured. */
  readonly count: number;
}

/** How often, and who hears of it. */
export interface Plan {
  readonly rounds: number;
  /** Rounds before these, which aren't counted: caches fill, code is compiled. */
  readonly warmUp: number;
  /** Numbers from 0 up to 1: each round's order is drawn by lot. Without them, every other round runs backwards. */
  readonly lot?: () => number;
  /** Called after each round of each contestant. */
  readonly onRound?: () => void;
}

/**
 * Runs all contestants in turn, round by round, so that whatever else the machine does hits them alike. Nobody always comes behind the
 * same one, whose last work may still be under way.
 */
export async function alternate(contestants: readonly Contestant[], { rounds, warmUp, lot, onRound }: Plan): Promise<readonly Measured[]> {
  const samples = contestants.map((): Sample[] => []);
  for (let round = -warmUp; round < rounds; round++) {
    const order = contestants.map((contestant, index) => ({ contestant, kept: samples[index] }));
    if (lot !== undefined) shuffle(order, lot);
    else if (round % 2 !== 0) order.reverse();
    for (const { contestant, kept } of order) {
      const sample = await contestant.round();
      if (round >= 0) kept?.push(sample);
      onRound?.();
    }
  }
  return contestants.map(({ name }, index) => ({ name, samples: samples[index] ?? [] }));
}

/** Fisher and Yates: every order is as likely as any other. */
function shuffle(items: unknown[], random: () => number): void {
  for (let last = items.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [items[last], items[other]] = [items[other], items[last]];
  }
}

/** Runs an operation `count` times, never more than `atOnce` of them together. Each tells how long it took. The first that fails ends it. */
export async function concurrently(count: number, atOnce: number, operation: (index: number) => Promise<number>): Promise<Sample> {
  const latencies: number[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) latencies.push(await operation(next++));
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: atOnce }, worker));
  return { latencies, elapsed: performance.now() - started };
}

/** Makes an operation tell how long it took, in milliseconds. */
export function timed(operation: () => unknown): () => Promise<number> {
  return async () => {
    const started = performance.now();
    await operation();
    return performance.now() - started;
  };
}

/** Runs something short `batches` times `size` times; each latency is the mean of a batch. */
export async function inBatches(batches: number, size: number, operation: () => unknown): Promise<Sample> {
  const latencies: number[] = [];
  const started = performance.now();
  for (let batch = 0; batch < batches; batch++) {
    const begun = performance.now();
    for (let count = 0; count < size; count++) {
      const result = operation();
      if (result instanceof Promise) await result;
    }
    latencies.push((performance.now() - begun) / size);
  }
  return { latencies, elapsed: performance.now() - started, batch: size };
}

/** Figures over all rounds. */
export function summarize({ samples }: Measured): Summary {
  const latencies = samples.flatMap((sample) => sample.latencies).sort((a, b) => a - b);
  const count = samples.reduce((sum, sample) => sum + sample.latencies.length * (sample.batch ?? 1), 0);
  const elapsed = samples.reduce((sum, sample) => sum + sample.elapsed, 0);
  return { p50: percentile(latencies, 50), p99: percentile(latencies, 99), rate: (count * 1000) / elapsed, count };
}

/** The smallest value that at least `percent` of 100 values don't exceed (nearest rank); NaN of none. */
export function percentile(sorted: ArrayLike<number>, percent: number): number {
  return sorted[Math.max(Math.ceil((sorted.length * percent) / 100) - 1, 0)] ?? Number.NaN;
}

/** How two contestants compare by one figure. */
export interface Ratio {
  /** Of all rounds together. */
  readonly value: number;
  /** The quartiles of the rounds' own ratios: how far the value can be trusted. */
  readonly quartiles: readonly [number, number];
}

/** The figure of one contestant divided by that of its rival. */
export function compare(contestant: Measured, rival: Measured, figure: 'p50' | 'p99' | 'rate'): Ratio {
  const rounds = contestant.samples
    .flatMap((sample, index) => {
      const other = rival.samples[index];
      if (other === undefined) return [];
      return summarize({ name: '', samples: [sample] })[figure] / summarize({ name: '', samples: [other] })[figure];
    })
    .sort((a, b) => a - b);
  return {
    value: summarize(contestant)[figure] / summarize(rival)[figure],
    quartiles: [percentile(rounds, 25), percentile(rounds, 75)],
  };
}

/** How often rounds are drawn for an interval: enough for its second digit. */
const DRAWINGS = 1000;

/**
 * The 95 % interval of a ratio of medians, for rounds of one operation each: as many rounds as there are, drawn by lot with repetition, a
 * thousand times (bootstrap percentiles). Both figures of a round are drawn together, because the machine was in the same mood for both.
 */
export function interval(contestant: Measured, rival: Measured, random: () => number = Math.random): readonly [number, number] {
  const [ours, theirs] = [contestant, rival].map(({ samples }) => samples.map(({ latencies: [only] }) => only ?? Number.NaN));
  const count = Math.min(ours?.length ?? 0, theirs?.length ?? 0);
  const drawnOurs = new Float64Array(count);
  const drawnTheirs = new Float64Array(count);
  const ratios = new Float64Array(DRAWINGS).map(() => {
    for (let index = 0; index < count; index++) {
      const round = Math.floor(random() * count);
      drawnOurs[index] = ours?.[round] ?? Number.NaN;
      drawnTheirs[index] = theirs?.[round] ?? Number.NaN;
    }
    return percentile(drawnOurs.sort(), 50) / percentile(drawnTheirs.sort(), 50);
  });
  ratios.sort();
  return [percentile(ratios, 2.5), percentile(ratios, 97.5)];
}

/** The contestant of a name; an error where there is none, because a typing error mustn't become an empty row. */
export function named(measured: readonly Measured[], name: string): Measured {
  const found = measured.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no contestant "${name}" among ${measured.map((one) => one.name).join(', ')}`);
  return found;
}
