import type { PlacedFinding, Section } from './finding.js';
import type { Subject } from './subject.js';

/** One thing that `acl-groups check` looks at. It changes nothing. */
export interface Check {
  /** What `--json` calls it. */
  readonly name: string;
  readonly section: Section;
  /** What there is to say; nothing where it doesn't apply. What is thrown becomes an error. */
  look(subject: Subject): readonly PlacedFinding[] | Promise<readonly PlacedFinding[]>;
}
