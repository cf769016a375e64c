import type { Check } from '../check.js';
import { type PlacedFinding, warning } from '../finding.js';

/** Whether what follows was seen with the rights that it should be. */
export const rights: Check = {
  name: 'rights',
  section: 'configuration',
  async look(subject): Promise<readonly PlacedFinding[]> {
    const place = 'acl-groups check';
    if (process.geteuid?.() !== 0)
      return [warning(place, "doesn't run as root: what only root may read is reported as missing", { what: 'run it as root' })];
    const { problem } = await subject.serviceView();
    return problem === undefined ? [] : [warning(place, `files are judged as root reads them, not as the service does: ${problem}`)];
  },
};
