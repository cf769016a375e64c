import { answerLogin, type LoginAnswer } from '../answer.js';
import type { Invocation } from '../args.js';
import { loadConfig } from '../config.js';
import { loginRequest } from '../dovecot/userdb.js';
import { findVersion } from '../dovecot/version.js';
import { EXIT, UsageError } from '../errors.js';
import { stderrLogger } from '../log.js';
import { openProviders } from '../providers/registry.js';
import { resolveGroups } from '../resolve.js';

/** Shows what each provider says of users, and the value that Dovecot would be given. */
export async function lookup({ options, operands }: Invocation): Promise<number> {
  if (operands.length === 0) throw new UsageError('lookup needs at least one user; try: acl-groups --help');
  const log = stderrLogger({ debug: options.verbose ?? false });
  const config = await loadConfig(options.config, options);
  const providers = await openProviders(config, () => log);
  let status: number = EXIT.ok;
  for (const name of operands) {
    const request = loginRequest({ name, fields: new Map() }, config.user_format);
    const resolution = await resolveGroups(request.user, providers, config.timeout);
    const answer = await answerLogin(request, resolution, config, () => findVersion(config, process.env));
    process.stdout.write(`${JSON.stringify(jsonAnswer(name, answer))}\n`);
    if (answer.providers.some(({ outcome }) => outcome === 'error')) status = EXIT.temporary;
    else if (answer.providers.every(({ outcome }) => outcome === 'unknown-user') && status === EXIT.ok) status = EXIT.noUser;
  }
  await Promise.all(providers.map(({ provider }) => provider.close?.()));
  return status;
}

function jsonAnswer(user: string, answer: LoginAnswer): unknown {
  return {
    user,
    dovecot: answer.dovecot?.version ?? null,
    acl_groups: answer.value,
    groups: answer.groups,
    skipped: answer.skipped,
    providers: answer.providers,
  };
}
