import { explain } from '../support/errors.js';
import { type Check, error, type PlacedFinding, type Section } from './finding.js';
import { withRightsOf } from './identity.js';
import type { Subject } from './subject.js';

/** A finding with who found it. */
export interface Report extends PlacedFinding {
  readonly section: Section;
  readonly check: string;
}

/** Looks at everything, one after the other: some of it takes the service's rights, which are those of the whole process. */
export async function* runChecks(subject: Subject, checks: readonly Check[]): AsyncGenerator<Report> {
  for (const { name, section, asService, look } of checks) {
    for (const finding of await attempt(name, () =>
      asService ? withRightsOf(subject.identity, async () => look(subject)) : look(subject),
    )) {
      yield { section, check: name, ...finding };
    }
  }
}

async function attempt(name: string, look: () => ReturnType<Check['look']>): Promise<readonly PlacedFinding[]> {
  try {
    return await look();
  } catch (thrown) {
    return [error(name, `this check failed: ${explain(thrown)}`)];
  }
}
