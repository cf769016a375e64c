import type { Invocation } from '../args.js';
import { ACL_GROUPS_FIELD } from '../dovecot/fields.js';
import { askService } from '../service/post-login-client.js';
import { askUserdb } from '../service/userdb-client.js';
import { EXIT, UsageError } from '../support/errors.js';
import { printable, printableJson } from '../support/text.js';

/** How a running service answered through one of its doors. */
interface DoorAnswer {
  readonly door: 'userdb' | 'post-login';
  readonly outcome: 'granted' | 'unknown-user' | 'denied';
  readonly acl_groups: string | null;
  readonly reason?: string | undefined;
  readonly elapsed_ms: number;
}

/**
 * Shows what a running service answers by each of its protocols, and how fast.
 * @throws UsageError; AclGroupsError when the service can't be asked
 */
export async function lookupSocket(socket: string, { options, operands }: Invocation): Promise<number> {
  if (options.providers !== undefined || options.config !== undefined || options.dovecot !== undefined) {
    throw new UsageError(
      '--socket asks a running service, which has providers, configuration and version of its own: remove -p, -c and -D',
    );
  }
  let status: number = EXIT.ok;
  for (const user of operands) {
    const doors = [await byUserdb(socket, user), await byPostLogin(socket, user)];
    const agree = new Set(doors.map(({ outcome, acl_groups }) => `${outcome} ${acl_groups}`)).size === 1;
    if (doors.some(({ outcome }) => outcome === 'denied')) status = EXIT.temporary;
    else if (status === EXIT.ok && doors.some(({ outcome }) => outcome === 'unknown-user')) status = EXIT.noUser;
    process.stdout.write(options.json ? `${printableJson({ user, socket, agree, doors })}\n` : inWords(user, doors, agree));
  }
  return status;
}

async function byUserdb(socket: string, user: string): Promise<DoorAnswer> {
  const { outcome, value, reason, elapsed } = await askUserdb(socket, user);
  return {
    door: 'userdb',
    outcome,
    acl_groups: outcome === 'granted' ? value : null,
    reason: reason === '' ? undefined : reason,
    elapsed_ms: rounded(elapsed),
  };
}

async function byPostLogin(socket: string, user: string): Promise<DoorAnswer> {
  const { reply, elapsed } = await askService(socket, { name: user, fields: new Map() });
  const value = reply?.fields.get(ACL_GROUPS_FIELD);
  // A service that adds nothing knows nobody of this name.
  const outcome = reply === undefined ? 'denied' : value === undefined ? 'unknown-user' : 'granted';
  return { door: 'post-login', outcome, acl_groups: value ?? null, elapsed_ms: rounded(elapsed) };
}

function rounded(elapsed: number): number {
  return Math.round(elapsed * 1000) / 1000;
}

/** One line for each door, or for both where they say the same. */
function inWords(user: string, doors: readonly DoorAnswer[], agree: boolean): string {
  const times = doors.map(({ door, elapsed_ms }) => `${door} ${elapsed_ms} ms`).join(', ');
  const [first] = doors;
  if (agree && first !== undefined) return `${printable(user)}: ${told(first)} (${times})\n`;
  const lines = doors.map((answer) => `  ${answer.door}: ${told(answer)} (${answer.elapsed_ms} ms)\n`);
  return `${printable(user)}: the doors differ\n${lines.join('')}`;
}

function told({ outcome, acl_groups, reason }: DoorAnswer): string {
  if (outcome === 'granted') return `acl_groups=${printable(acl_groups ?? '')}`;
  if (outcome === 'unknown-user') return 'no provider knows this user; the login goes on with nothing added';
  return `denied: ${printable(reason ?? "the service's log says why")}`;
}
