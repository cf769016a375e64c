import type { Config } from '../config/load.js';
import type { Finding } from '../providers/provider.js';

/** What a finding is about. People see them under these headings, in this order. */
export type Section = 'configuration' | 'dovecot' | 'service' | 'acl-files' | 'machine';

/** A finding with the place that it is about: a file, a setting, a socket. */
export interface PlacedFinding extends Finding {
  readonly place: string;
}

/** What the checks see that look with the rights of the service's user, in a process of their own. */
export interface ConfigSight {
  readonly configFile: string;
  /** Why it can't be used, if it can't. */
  readonly config: Config | Error;
}

/** One thing that has to be looked at with the rights of the service's user: what it reads. */
export interface ServiceCheck {
  /** What `--json` calls it. */
  readonly name: string;
  readonly section: Section;
  readonly asService: true;
  look(sight: ConfigSight): Promise<readonly PlacedFinding[]>;
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
