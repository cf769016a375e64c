import type { Invocation } from '../args.js';
import type { DoorAnswer } from '../service/door-answer.js';
import { askPostLogin } from '../service/post-login-client.js';
import { askUserdb } from '../service/userdb-client.js';
import { EXIT, UsageError } from '../support/errors.js';
import { printable, printableJson } from '../support/text.js';

/** How a running service answered through one of its doors. */
interface ShownAnswer {
  readonly door: 'userdb' | 'post-login';
  readonly outcome: DoorAnswer['outcome'];
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
    const doors = [shown('userdb', await askUserdb(socket, user)), shown('post-login', await askPostLogin(socket, user))];
    const agree = new Set(doors.map(({ outcome, acl_groups }) => `${outcome} ${acl_groups}`)).size === 1;
    if (doors.some(({ outcome }) => outcome === 'denied')) status = EXIT.temporary;
    else if (status === EXIT.ok && doors.some(({ outcome }) => outcome === 'unknown-user')) status = EXIT.noUser;
    process.stdout.write(options.json ? `${printableJson({ user, socket, agree, doors })}\n` : inWords(user, doors, agree));
  }
  return status;
}

function shown(door: ShownAnswer['door'], { outcome, value, reason, elapsed }: DoorAnswer): ShownAnswer {
  return {
    door,
    outcome,
    acl_groups: outcome === 'granted' ? value : null,
    reason: reason === '' ? undefined : reason,
    elapsed_ms: Math.round(elapsed * 1000) / 1000,
  };
}

/** One line for each door, or for both where they say the same. */
function inWords(user: string, doors: readonly ShownAnswer[], agree: boolean): string {
  const times = doors.map(({ door, elapsed_ms }) => `${door} ${elapsed_ms} ms`).join(', ');
  const [first] = doors;
  if (agree && first !== undefined) return `${printable(user)}: ${told(first)} (${times})\n`;
  const lines = doors.map((answer) => `  ${answer.door}: ${told(answer)} (${answer.elapsed_ms} ms)\n`);
  return `${printable(user)}: the doors differ\n${lines.join('')}`;
}

function told({ outcome, acl_groups, reason }: ShownAnswer): string {
  if (outcome === 'granted') return `acl_groups=${printable(acl_groups ?? '')}`;
  if (outcome === 'unknown-user') return 'no provider knows this user; the login goes on with nothing added';
  return `denied: ${printable(reason ?? "the service's log says why")}`;
}
