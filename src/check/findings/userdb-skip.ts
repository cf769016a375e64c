import type { Check } from '../check.js';
import { userdbPart } from '../userdb-part.js';

/** Without it, whoever has groups has mail. */
export const userdbSkip: Check = userdbPart(
  'userdb-skip',
  { kind: 'userdb', settings: { '2.3': ['skip'], '2.4': ['skip'] } },
  ({ skip }) =>
    skip === 'notfound'
      ? undefined
      : { level: 'error', problem: 'is not "notfound": users whom only a source of groups knows become mail users, without a home' },
);
