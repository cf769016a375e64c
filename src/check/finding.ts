import type { Finding } from '../providers/provider.js';
import type { Subject } from './subject.js';

/** What a finding is about. People see them under these headings, in this order. */
export type Section = 'configuration' | 'dovecot' | 'service' | 'acl-files' | 'machine';

/** A finding with the place that it is about: a file, a setting, a socket. */
export interface PlacedFinding extends Finding {
  readonly place: string;
}

/** One thing that `acl-groups check` looks at. It changes nothing. */
export interface Check {
  /** What `--json` calls it. */
  readonly name: string;
  readonly section: Section;
  /** Whether it is looked at with the rights of the user that the service runs as, where this process may take them. Default false. */
  readonly asService?: true;
  /** What there is to say; nothing where it doesn't apply. What is thrown becomes an error. */
  look(subject: Subject): readonly PlacedFinding[] | Promise<readonly PlacedFinding[]>;
}

/** One step of a fix: what to do, and the text to paste or type, if there is any. */
export interface Step {
  readonly what: string;
  readonly lines?: readonly string[];
}

/** A fix as text: each step is a line, with what to paste indented below it. */
export function fixOf(...steps: readonly Step[]): string {
  return steps
    .map(({ what, lines }) => (lines === undefined ? what : [`${what}:`, ...lines.map((line) => `  ${line}`.trimEnd())].join('\n')))
    .join('\n');
}

export function ok(place: string, message: string): PlacedFinding {
  return { level: 'ok', place, message };
}

export function warning(place: string, message: string, ...fix: readonly Step[]): PlacedFinding {
  return problem('warning', place, message, fix);
}

export function error(place: string, message: string, ...fix: readonly Step[]): PlacedFinding {
  return problem('error', place, message, fix);
}

function problem(level: 'warning' | 'error', place: string, message: string, fix: readonly Step[]): PlacedFinding {
  return { level, place, message, ...(fix.length === 0 ? {} : { fix: fixOf(...fix) }) };
}
