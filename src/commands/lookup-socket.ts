import type { Invocation } from '../args.js';
import { ACL_GROUPS_FIELD } from '../dovecot/fields.js';
import type { LoginFacts } from '../login/request.js';
import { askService } from '../service/client.js';
import { EXIT, UsageError } from '../support/errors.js';
import { printable, printableJson } from '../support/text.js';

/**
 * Shows what a running service answers, and how fast.
 * @throws UsageError; AclGroupsError when the service can't be asked
 */
export async function lookupSocket(path: string, { options, operands }: Invocation): Promise<number> {
  if (options.providers !== undefined || options.config !== undefined || options.dovecot !== undefined) {
    throw new UsageError(
      '--socket asks a running service, which has providers, configuration and version of its own: leave out -p, -c and -D',
    );
  }
  let status: number = EXIT.ok;
  for (const user of operands) {
    const { reply, elapsed } = await askService(path, { name: user, fields: new Map() });
    if (reply === undefined) status = EXIT.temporary;
    const value = reply?.fields.get(ACL_GROUPS_FIELD);
    const outcome = reply === undefined ? 'denied' : 'granted';
    const elapsed_ms = Math.round(elapsed * 1000) / 1000;
    process.stdout.write(
      options.json
        ? `${printableJson({ user, socket: path, outcome, acl_groups: value ?? null, elapsed_ms })}\n`
        : `${printable(user)}: ${inWords(reply, value)} (${elapsed_ms} ms)\n`,
    );
  }
  return status;
}

function inWords(reply: LoginFacts | undefined, value: string | undefined): string {
  if (reply === undefined) return "denied; the service's log says why";
  return value === undefined ? 'granted without acl_groups: this is no service of acl-groups' : `acl_groups=${printable(value)}`;
}
