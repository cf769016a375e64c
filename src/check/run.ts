import { explain } from '../support/errors.js';
import type { Check } from './check.js';
import { error, type PlacedFinding, type Section, type ServiceCheck } from './finding.js';
import type { Subject } from './subject.js';

/** A finding with who found it. */
export interface Report extends PlacedFinding {
  readonly section: Section;
  readonly check: string;
}

/** Looks at everything, one after the other. */
export async function* runChecks(subject: Subject, checks: readonly (Check | ServiceCheck)[]): AsyncGenerator<Report> {
  for (const check of checks) {
    const { name, section } = check;
    for (const finding of await attempt(check, subject)) yield { section, check: name, ...finding };
  }
}

async function attempt(check: Check | ServiceCheck, subject: Subject): Promise<readonly PlacedFinding[]> {
  try {
    return 'asService' in check ? ((await subject.serviceView()).findings[check.name] ?? []) : await check.look(subject);
  } catch (thrown) {
    return [error(check.name, `this check failed: ${explain(thrown)}`)];
  }
}
