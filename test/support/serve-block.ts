import { SPELLING } from './dovecot-config.js';
import type { DovecotVersion } from './world.js';

/** The service block of the README. `words` follow `serve`. */
export function serveBlock(version: DovecotVersion, command: string, words = ''): string {
  const { internalUser, noLimit } = SPELLING[version];
  return `
service acl-groups {
  executable = ${command} serve${words === '' ? '' : ` ${words}`}
  user = ${internalUser}
  drop_priv_before_exec = yes
  process_min_avail = 1
  process_limit = 1
  client_limit = 1000
  vsz_limit = ${noLimit}
  unix_listener acl-groups {
    mode = 0600
  }
}
`;
}
