/** Milliseconds on a clock that never steps: what the soak's histories are kept by. */
export const now = (): number => performance.now();

/** What something was, and when. A change takes time: while it is made, the value of before and the new one may both be seen. */
export interface Timeline<Value> {
  /** The values that may have been seen between two moments. */
  values(from: number, to: number): readonly Value[];
  /** What it is, or will be once the change that is being made is done. */
  readonly latest: Value;
  /** A change begins. To be called before anything is done. */
  begin(value: Value): Change;
}

/** A change that is being made. */
export interface Change {
  /** Nobody can see the value of before any more. */
  done(): void;
  /** It couldn't be made, and nobody has seen it. */
  undone(): void;
}

interface Entry<Value> {
  readonly value: Value;
  readonly from: number;
  until: number;
}

/** How many entries a timeline has before it forgets those that are over for longer than `KEPT`. */
const MANY = 64;
/** Milliseconds: more than any `stale_ttl` and time limit of the soak together. */
const KEPT = 120_000;

/** A timeline that begins now. */
export function timelineOf<Value>(first: Value): Timeline<Value> {
  let entries: Entry<Value>[] = [{ value: first, from: now(), until: Number.POSITIVE_INFINITY }];
  let latest = first;
  return {
    values: (from, to) => entries.filter((entry) => entry.from <= to && entry.until >= from).map(({ value }) => value),
    get latest() {
      return latest;
    },
    begin(value) {
      const before = latest;
      const entry: Entry<Value> = { value, from: now(), until: Number.POSITIVE_INFINITY };
      if (entries.length >= MANY) entries = entries.filter(({ until }) => until > entry.from - KEPT);
      entries.push(entry);
      latest = value;
      const end = (ending: readonly Entry<Value>[]): void => {
        const at = now();
        for (const one of ending) if (one.until === Number.POSITIVE_INFINITY) one.until = at;
      };
      return {
        done: () => end(entries.filter((one) => one !== entry)),
        undone() {
          end([entry]);
          latest = before;
        },
      };
    },
  };
}
