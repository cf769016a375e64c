import { writeSync } from 'node:fs';
import { answerLogin, logAnswer } from '../answer.js';
import type { Invocation } from '../args.js';
import { loadConfig } from '../config.js';
import { factsFromEnvironment, loginRequest } from '../dovecot/userdb.js';
import { findVersion } from '../dovecot/version.js';
import { EXIT, UsageError } from '../errors.js';
import { stderrLogger } from '../log.js';
import { openProviders } from '../providers/registry.js';
import { resolveGroups } from '../resolve.js';

/** What the launcher reads: the number of words before the program, and the value of ACL_GROUPS, a line each, and a full stop so that no end of line is lost. */
function formatPlan(optionWords: number, value: string): string {
  return `${optionWords}\n${value}\n.`;
}

/**
 * Exec mode: tells the launcher on stdout (which is a pipe to it, never the client's socket) what to exec and with which groups.
 * @throws UsageError, ConfigError
 */
export async function exec({ options, operands, words }: Invocation): Promise<number> {
  // The launcher is this process's parent, and it is the one that Dovecot started and knows.
  const log = stderrLogger({ debug: false, pid: process.ppid });
  if (operands[0] === undefined) throw new UsageError('no program to exec; try: acl-groups --help');
  const facts = factsFromEnvironment(process.env);
  const config = await loadConfig(options.config, options);
  const request = loginRequest(facts, config.user_format);
  const providers = await openProviders(config, () => log);
  const resolution = await resolveGroups(request.user, providers, config.timeout);
  const answer = await answerLogin(request, resolution, config, () => findVersion(config, process.env));
  logAnswer(request.user.name, answer, log);
  if (answer.verdict === 'deny') return EXIT.temporary;
  writeSync(1, formatPlan(words.length - operands.length, answer.value));
  return EXIT.ok;
}
