import { chmodSync, writeFileSync } from 'node:fs';

/** The post-login script of Dovecot's documentation ("ACL: Groups from system groups"), line for line. */
export const SHELL_EXAMPLE: string = `#!/bin/sh
ACL_GROUPS=\`groups $USER | tr ' '  ','\`
export ACL_GROUPS
export USERDB_KEYS="$USERDB_KEYS acl_groups"
exec "$@"
`;

/** Writes the documentation's script where it can be run. */
export function writeShellExample(file: string): string {
  writeFileSync(file, SHELL_EXAMPLE);
  chmodSync(file, 0o755);
  return file;
}
