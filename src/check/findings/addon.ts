import { findUserid } from '../../providers/unix/account-workers.js';
import type { Check } from '../check.js';
import { ok } from '../finding.js';

/** The addon that makes lookups by the C library quick. */
export const addon: Check = {
  name: 'addon',
  section: 'machine',
  async look(subject) {
    const { config } = await subject.serviceView();
    if (config?.providers.includes('unix') !== true) return [];
    try {
      findUserid();
      return [ok('userid', 'the addon is installed')];
    } catch {
      return [
        ok(
          'userid',
          "the addon isn't installed: where the account files alone don't answer, the service asks by getent, which takes a few milliseconds more",
        ),
      ];
    }
  },
};
