import type { Progress } from '../support/progress.js';
import type { Table } from './report.js';

/** What a benchmark is given. */
export interface BenchContext {
  /** A smoke test: as few rounds as show that it runs. */
  readonly short: boolean;
  /** A directory of this run's own, removed at its end. */
  readonly scratch: string;
  /** Where results are kept: JSON, and pictures. */
  readonly output: string;
  /** The `acl-groups` command as npm installs it from the packed tarball. */
  installed(): Promise<string>;
  /** A progress bar of so many steps. */
  progress(title: string, steps: number): Progress;
}

/** One benchmark: the project and its rivals, measured in turn. Each table comes when it is complete: a run may take an hour. */
export type Benchmark = (context: BenchContext) => AsyncIterable<Table>;

/** Thrown where this machine lacks what a benchmark needs; the message says what. */
export class NotPossible extends Error {
  override readonly name = 'NotPossible';
}
