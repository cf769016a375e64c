import type { Invocation } from '../args.js';
import { loadConfig } from '../config/load.js';
import { createVersionFinder } from '../dovecot/version.js';
import { answerLogin, type LoginAnswer } from '../login/answer.js';
import { loginRequest } from '../login/request.js';
import { resolveGroups } from '../login/resolve.js';
import { openProviders } from '../providers/registry.js';
import { EXIT, UsageError } from '../support/errors.js';
import { printableJson } from '../support/text.js';
import { formatAnswer } from '../terminal/answer.js';
import { paintFor, terminalWidth } from '../terminal/paint.js';
import { stderrLogger } from '../terminal/stderr.js';

/**
 * Shows what each provider says of users, and the value that Dovecot would be given.
 * @throws UsageError, ConfigError
 */
export async function lookup(invocation: Invocation): Promise<number> {
  const { options, operands } = invocation;
  if (operands.length === 0) throw new UsageError('lookup needs at least one user; try: acl-groups --help');
  if (operands.includes('')) throw new UsageError('lookup: expected users, found an empty argument');
  if (options.socket !== undefined) return (await import('./lookup-socket.js')).lookupSocket(options.socket, invocation);
  const log = stderrLogger({ debug: options.verbose ?? false });
  const config = await loadConfig(options.config, options);
  const requests = operands.map((name) => loginRequest({ name, fields: new Map() }, config.user_format));
  const providers = await openProviders(config, () => log);
  const paint = await paintFor(process.stdout);
  const version = createVersionFinder(config, process.env);
  const statuses: number[] = [];
  try {
    for (const request of requests) {
      const resolution = await resolveGroups(request.user, providers, config.timeout);
      const answer = await answerLogin(request, resolution, config, version);
      const { name } = request.user;
      process.stdout.write(
        options.json ? `${printableJson(jsonAnswer(name, answer))}\n` : formatAnswer(name, answer, paint, terminalWidth(process.stdout)),
      );
      statuses.push(exitStatus(answer));
    }
  } finally {
    await Promise.all(providers.map(({ provider }) => provider.close?.()));
  }
  return worst(statuses);
}

/** A failure says less of a user than that he is unknown, and may hide it: so it is worse. */
const FROM_BAD_TO_GOOD = [EXIT.temporary, EXIT.noUser];

function worst(statuses: readonly number[]): number {
  return FROM_BAD_TO_GOOD.find((status) => statuses.includes(status)) ?? EXIT.ok;
}

function exitStatus({ verdict, providers }: LoginAnswer): number {
  if (verdict === 'deny') return EXIT.temporary;
  return providers.every(({ outcome }) => outcome === 'unknown-user') ? EXIT.noUser : EXIT.ok;
}

/** What `--json` promises: these keys and no others. */
function jsonAnswer(user: string, { verdict, dovecot, value, groups, skipped, providers }: LoginAnswer): unknown {
  return {
    user,
    dovecot: dovecot?.version ?? null,
    // As with --socket: for an unknown user, and for one who is denied, no door sets anything.
    acl_groups: verdict === 'grant' ? value : null,
    groups: groups.map(({ name, provider, gid, dn }) => ({ name, provider, gid, dn })),
    skipped: skipped.map(({ name, provider, reason }) => ({ name, provider, reason })),
    providers: providers.map(({ name, outcome, elapsed_ms, error }) => ({ name, outcome, elapsed_ms, error })),
  };
}
