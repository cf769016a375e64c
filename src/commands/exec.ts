import { accessSync, constants, existsSync, readFileSync, statSync, writeSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Invocation } from '../args.js';
import { loadConfig } from '../config/load.js';
import { appendAclGroups, formatAclGroups } from '../dovecot/notation.js';
import { findVersion } from '../dovecot/version.js';
import type { ExecCacheEntry } from '../exec/cache.js';
import { factsFromEnvironment, parseEnvironment, repairEnvironment } from '../exec/environment.js';
import { formatPlan, LONGEST_VALUE, type Plan } from '../exec/plan.js';
import { answerLogin, type LoginAnswer, logAnswer } from '../login/answer.js';
import { loginRequest } from '../login/request.js';
import { resolveGroups } from '../login/resolve.js';
import { type OpenProvider, openProviders } from '../providers/registry.js';
import { AclGroupsError, EXIT, explain, UsageError } from '../support/errors.js';
import type { Logger } from '../support/log.js';
import { stderrLogger } from '../terminal/stderr.js';

/** Where shells look for a program when there is no PATH. */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** How long providers may take to let go of what they hold, in milliseconds. */
const CLOSING_TIME = 100;

/**
 * Exec mode: tells the launcher on stdout (which is a pipe to it, never the client's socket) what to exec and with which groups.
 * Doesn't return once providers were asked: the process ends.
 * @throws UsageError, ConfigError, and an error with status 69 for a program that can't be executed
 */
export async function exec(invocation: Invocation): Promise<number> {
  const { plan, providers } = await prepare(invocation);
  for (let rest = plan; rest.length > 0; ) rest = rest.subarray(writeSync(1, rest));
  await letGo(providers);
  return await end();
}

/** The plan for the launcher, and the providers that were asked for it. */
async function prepare({ options, operands, words }: Invocation): Promise<{ plan: Buffer; providers: readonly OpenProvider[] }> {
  // The launcher is this process's parent (or, under an address space limit, its subshell is): the one that Dovecot started and knows.
  const log = stderrLogger({ debug: false, pid: process.ppid });
  const [program] = operands;
  if (program === undefined) throw new UsageError('no program to exec; try: acl-groups --help');
  const facts = factsFromEnvironment(process.env);
  requireProgram(program);
  const repairs = repair(program);
  const config = await loadConfig(options.config, options);
  const request = loginRequest(facts, config.user_format);
  const providers = await openProviders(config, () => log);
  const resolution = await resolveGroups(request.user, providers, config.timeout);
  const answer = await answerLogin(request, resolution, config, () => findVersion(config, process.env));
  logAnswer(request.user.name, answer, log);
  const value =
    answer.verdict === 'deny'
      ? undefined
      : shorten(answer, request.existing, config.on_error, (message) => log.error(`${request.user.name}: ${message}`));
  if (options.cacheDir !== undefined && value !== undefined) {
    const entry = {
      user: request.user.name,
      systemUser: facts.fields.get('system_groups_user') ?? '',
      optionWords: words.slice(0, words.length - operands.length),
      unset: repairs.unset,
      value,
    };
    // Another login's answer may differ by what the launcher doesn't compare.
    const general = request.existing === '' && repairs.prefix.length === 0 && providers.every(({ provider }) => !provider.cacheKey);
    const whole = answer.providers.every(({ outcome }) => outcome !== 'error');
    if (general && whole) await keep(options.cacheDir, entry, config.cache.ttl, log);
  }
  const status = value === undefined ? EXIT.temporary : EXIT.ok;
  const addition = (value ?? '').slice(request.existing.length);
  return { plan: formatPlan({ status, optionWords: words.length - operands.length, ...repairs, addition }), providers };
}

/** Keeps the answer for the launcher. A cache that can't be used slows logins down, and is no reason to lose one. */
async function keep(directory: string, entry: ExecCacheEntry, ttl: number, log: Logger): Promise<void> {
  const { storeEntry } = await import('../exec/cache.js');
  try {
    await storeEntry(directory, entry, ttl);
  } catch (error) {
    log.error(explain(error));
  }
}

/** @throws AclGroupsError for a program that can't be executed: the shell's own words for that don't say where it was looked for. */
function requireProgram(program: string): void {
  const candidates = program.includes('/')
    ? [program]
    : (process.env.PATH ?? DEFAULT_PATH).split(delimiter).map((directory) => join(directory, program));
  if (candidates.some(isExecutable)) return;
  const where = program.includes('/')
    ? existsSync(program)
      ? 'is not an executable file'
      : 'does not exist'
    : `is not in ${process.env.PATH ?? DEFAULT_PATH}`;
  throw new AclGroupsError(
    `the program "${program}" ${where}; mend the service's executable line, in which each program is given by its full path`,
    EXIT.unavailable,
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** How the launcher gives the program the environment that the launcher was started with. */
function repair(program: string): Pick<Plan, 'unset' | 'prefix'> {
  let bytes: string;
  try {
    bytes = readFileSync(`/proc/${process.ppid}/environ`, 'latin1');
  } catch {
    // No procfs: what the shell makes of the environment has to do.
    return { unset: [], prefix: [] };
  }
  const { unset, assignments } = repairEnvironment(parseEnvironment(bytes), process.env);
  const prefix =
    assignments.length === 0
      ? []
      : [Buffer.from(existsSync('/usr/bin/env') ? '/usr/bin/env' : '/bin/env'), Buffer.from('--'), ...assignments];
  // Behind env, such a program would be one more assignment.
  if (prefix.length > 0 && program.includes('='))
    throw new UsageError(`the program "${program}" has a = in its name, which env(1) can't run; rename it`);
  // A program without a slash is searched in the PATH that the shell has.
  return { unset: program.includes('/') ? unset : unset.filter((name) => name !== 'PATH'), prefix };
}

/** The value if it fits into the environment; by `on_error`, as many whole names as fit, or nothing. */
function shorten(
  answer: LoginAnswer,
  existing: string,
  onError: 'deny' | 'continue',
  error: (message: string) => void,
): string | undefined {
  const bytes = Buffer.byteLength(answer.value);
  if (bytes <= LONGEST_VALUE) return answer.value;
  const what = `ACL_GROUPS would have ${bytes} bytes, and a variable can have ${LONGEST_VALUE}`;
  const mend = 'serve mode has no such limit, and [groups] include leaves groups out';
  if (onError === 'deny') {
    error(`${what}; login denied (on_error = "deny"); ${mend}`);
    return undefined;
  }
  const names = answer.groups.filter(({ provider }) => provider !== 'userdb').map(({ name }) => name);
  const shortened = (count: number): string =>
    appendAclGroups(existing, formatAclGroups(names.slice(0, count), answer.dovecot?.version).value, answer.dovecot?.version);
  let fits = 0;
  for (let tooMany = names.length; tooMany - fits > 1; ) {
    const middle = Math.floor((fits + tooMany) / 2);
    if (Buffer.byteLength(shortened(middle)) <= LONGEST_VALUE) fits = middle;
    else tooMany = middle;
  }
  error(`${what}; going on with ${fits} of ${names.length} groups (on_error = "continue"); ${mend}`);
  return shortened(fits);
}

/** Gives the providers a moment to close what they hold. */
async function letGo(providers: readonly OpenProvider[]): Promise<void> {
  const closing = Promise.allSettled(providers.map(async ({ provider }) => provider.close?.()));
  await Promise.race([closing, new Promise((resolve) => setTimeout(resolve, CLOSING_TIME))]);
}

/** Ends the process, which nothing may hold up: not a connection, nor a thread of somebody's addon that hangs in native code. */
async function end(): Promise<never> {
  // exit(3) waits for such a thread, a signal doesn't. This is the one that no shell remarks upon; without a handler it ends the process.
  process.on('SIGPIPE', () => {}).removeAllListeners('SIGPIPE');
  process.kill(process.pid, 'SIGPIPE');
  return await new Promise<never>(() => {});
}
