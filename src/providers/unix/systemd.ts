import { readdirSync, statSync } from 'node:fs';

/**
 * The services below /run/systemd/userdb that add no group to an account of /etc/passwd. They answer GetMemberships with "no record"
 * (DynamicUser in core-varlink.c, Machine in machined-varlink.c), or only pass on what the files, the drop-in directories and the other
 * services have (NameServiceSwitch, Multiplexer, DropIn; userdbd.c).
 */
const WITHOUT_MEMBERSHIPS: ReadonlySet<string> = new Set(
  ['DynamicUser', 'Machine', 'NameServiceSwitch', 'Multiplexer', 'DropIn'].map((name) => `io.systemd.${name}`),
);

/** Where the services' sockets are (systemd's userdb.c), and where files are put that say who is a member (userdb-dropin.h). */
export const SYSTEMD_SOCKETS = 'run/systemd/userdb';
export const SYSTEMD_DROP_INS: readonly string[] = ['etc', 'run', 'run/host', 'usr/local/lib', 'usr/lib', 'lib'].map(
  (base) => `${base}/userdb`,
);

/** What nss-systemd gets its accounts from. */
export interface SystemdState {
  /** Whether it has anybody to ask. */
  readonly present: boolean;
  /** What could add groups to an account of /etc/passwd; `undefined` if nothing can. */
  readonly adds: string | undefined;
}

/** Looks at the directories that nss-systemd looks at, below `root`. */
export function systemdState(root = '/'): SystemdState {
  const sockets = list(`${root}${SYSTEMD_SOCKETS}`);
  const socket = sockets.find((name) => !WITHOUT_MEMBERSHIPS.has(name));
  const directory = SYSTEMD_DROP_INS.find((path) => list(`${root}${path}`).length > 0);
  return {
    present: sockets.length > 0 || directory !== undefined,
    adds: socket !== undefined ? `${root}${SYSTEMD_SOCKETS}/${socket}` : directory && `${root}${directory}`,
  };
}

/** Nearly always there is no such directory, and asking first is quicker than catching an error. */
function list(directory: string): readonly string[] {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  return readdirSync(directory);
}
