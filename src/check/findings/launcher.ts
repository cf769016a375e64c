import { realpathSync } from 'node:fs';
import type { Check } from '../check.js';
import { isExecutable } from '../files.js';
import { ok, warning } from '../finding.js';

/** The shell that the launcher runs in. */
export const launcher: Check = {
  name: 'launcher',
  section: 'machine',
  look({ command, facts }) {
    const shell = realpathSync('/bin/sh');
    const findings = [ok(command, `runs in ${shell}`)];
    if (facts === undefined || facts.doors.scriptLogin.size === 0 || isExecutable('/usr/bin/perl')) return findings;
    return [
      ...findings,
      warning('/usr/bin/perl', "isn't installed: a login with fields that a shell can't hold, such as namespace/inbox/prefix, is denied", {
        what: 'install perl',
      }),
    ];
  },
};
