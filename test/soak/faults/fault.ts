import type { Draw } from '../draw.js';
import type { Stage } from '../stage.js';

/** Something that may go wrong. Two of one `subject` don't come at the same time. */
export interface Fault {
  readonly name: string;
  readonly subject: string;
  /** Whether this stage has what it takes. */
  isPossible?(stage: Stage): boolean;
  /** Has it begin, keeps it for as long as `hold` says, and puts things right again. */
  run(stage: Stage, hold: () => Promise<void>, draw: Draw): Promise<void>;
}
