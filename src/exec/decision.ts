/**
 * What exec mode decides about a login: all that is between the environment and the plan, without the process around it.
 * @module
 */
import type { Config } from '../config/load.js';
import type { VersionFound } from '../dovecot/version.js';
import { answerLogin, type LoginAnswer, logAnswer } from '../login/answer.js';
import { hasMaster, type LoginFacts, type LoginRequest, loginRequest, subjectOf } from '../login/request.js';
import { resolveGroups } from '../login/resolve.js';
import type { OpenProvider } from '../providers/registry.js';
import { EXIT } from '../support/errors.js';
import type { Logger } from '../support/log.js';
import { type Environment, keysWithoutSpellings } from './environment.js';
import type { Plan } from './plan.js';
import { fitVariable } from './value.js';

/** Finds the version of Dovecot whose syntax the value is written in, when it is needed. */
export type FindVersion = () => Promise<VersionFound | undefined>;

/**
 * Whom to look up.
 * @throws UsageError for a name that no account has
 */
export async function requestOf(facts: LoginFacts, config: Config, findVersion: FindVersion): Promise<LoginRequest> {
  const subject = hasMaster(facts) ? await subjectOf(facts, config.master_user, findVersion) : 'user';
  return loginRequest(facts, config.user_format, subject);
}

/** What the program is to get. */
export interface Decision {
  readonly answer: LoginAnswer;
  /** The value of ACL_GROUPS; `undefined` where the login is denied. */
  readonly value: string | undefined;
}

/** Asks the providers. What went wrong is in the log. */
export async function decide(
  request: LoginRequest,
  providers: readonly OpenProvider[],
  config: Config,
  findVersion: FindVersion,
  log: Logger,
): Promise<Decision> {
  const { user } = request;
  const resolution = await resolveGroups(user, providers, config.timeout);
  const answer = await answerLogin(request, resolution, config, findVersion);
  logAnswer(user.name, answer, log);
  if (answer.verdict === 'deny') return { answer, value: undefined };
  return { answer, value: fitVariable(answer, config.on_error, (message) => log.error(`${user.name}: ${message}`)) };
}

/** The decision as the plan has it. */
export function changesBy(
  { answer, value }: Decision,
  { existing }: LoginRequest,
  environment: Environment,
): Pick<Plan, 'status' | 'keys' | 'addition'> {
  const status = value === undefined ? EXIT.temporary : EXIT.ok;
  if (answer.verdict === 'unknown') return { status, keys: 'unchanged', addition: '' };
  return { status, keys: keysWithoutSpellings(environment), addition: (value ?? '').slice(existing.length) };
}
