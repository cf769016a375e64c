import { type Check, warning } from '../finding.js';

/** Whether this process can see what it should. */
export const root: Check = {
  name: 'root',
  section: 'configuration',
  look: () =>
    process.geteuid?.() === 0
      ? []
      : [warning('acl-groups check', "doesn't run as root: what only root may read is reported as missing", { what: 'run it as root' })],
};
