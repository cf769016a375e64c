import type { Check } from '../check.js';
import { ok } from '../finding.js';

/** The Node.js that this command runs on, which the launcher finds for the service, too. */
export const node: Check = {
  name: 'node',
  section: 'machine',
  look: () => [ok(process.execPath, `Node.js ${process.versions.node}`)],
};
