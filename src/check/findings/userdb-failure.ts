import type { Check } from '../check.js';
import { userdbPart } from '../userdb-part.js';

/** Without it, a failure is a user without groups. */
export const userdbFailure: Check = userdbPart(
  'userdb-failure',
  { kind: 'userdb', settings: { '2.3': ['result_internalfail'], '2.4': ['result_internalfail'] } },
  ({ resultInternalfail }) =>
    resultInternalfail === 'return-fail'
      ? undefined
      : { level: 'error', problem: 'is not "return-fail": while acl-groups can\'t answer, logins go on without groups' },
);
