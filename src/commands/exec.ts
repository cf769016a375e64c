import { writeSync } from 'node:fs';
import type { Invocation } from '../args.js';
import { type Config, loadConfig } from '../config/load.js';
import { findVersion } from '../dovecot/version.js';
import { changesBy, decide, requestOf } from '../exec/decision.js';
import { factsFromEnvironment } from '../exec/environment.js';
import { findLauncher, type Launcher, PLAN_DESCRIPTOR } from '../exec/launcher.js';
import { formatPlan } from '../exec/plan.js';
import { findPerl, findProgram } from '../exec/program.js';
import { logProvidersOutput } from '../exec/providers-output.js';
import { handOver } from '../exec/shell-variables.js';
import { handleStrayErrors } from '../exec/stray-errors.js';
import { hasMaster } from '../login/request.js';
import { BUILT_IN, type OpenProvider, openProviders } from '../providers/registry.js';
import { UsageError } from '../support/errors.js';
import { stderrLine, stderrLogger } from '../terminal/stderr.js';

/** How long providers may take to let go of what they hold, in milliseconds. */
const CLOSING_TIME = 100;

/**
 * Exec mode: tells the launcher what to exec and with which groups. Doesn't return once providers were asked: the process ends.
 * @throws UsageError, ConfigError, and an error with status 69 for a program that can't be executed
 */
export async function exec({ options, operands, words }: Invocation): Promise<number> {
  const launcher = findLauncher();
  if (launcher === undefined) throw new UsageError('exec mode needs its launcher; run the command acl-groups');
  const started = Date.now();
  const log = stderrLogger();
  const [name] = operands;
  if (name === undefined) throw new UsageError('no program to exec; try: acl-groups --help');
  const facts = factsFromEnvironment(launcher.environment);
  const program = findProgram(name, launcher.environment);
  const { unset, variables, lost } = handOver(launcher);
  const perl = lost === undefined ? undefined : { path: findPerl(lost), variables };
  const config = await loadConfig(options.config, options);
  const version = (): ReturnType<typeof findVersion> => findVersion(config, process.env);
  const request = await requestOf(facts, config, version);
  const { user } = request;
  const flushOutput = logProvidersOutput(user.name, log);
  const strayErrors = handleStrayErrors(user.name, config.on_error, log);
  await watchForeign(config, user.name, launcher);
  const providers = await openProviders(config, () => log);
  const decision = await decide(request, providers, config, version, log);
  const { answer, value } = decision;
  const optionWords = words.slice(0, words.length - operands.length);
  if (options.cacheDir !== undefined && value !== undefined && !hasMaster(facts) && perl === undefined && strayErrors.count === 0) {
    const { keepAnswer } = await import('../exec/cache.js');
    const login = { request, answer, value, providers, optionWords, unset };
    await keepAnswer(login, { directory: options.cacheDir, ttl: config.cache.ttl, moment: launcher.moment, started }, log);
  }
  flushOutput();
  const changes = changesBy(decision, request, launcher.environment);
  const plan = formatPlan({ ...changes, optionWords: optionWords.length, program, unset, perl });
  for (let rest = plan; rest.length > 0; ) rest = rest.subarray(writeSync(PLAN_DESCRIPTOR, rest));
  await letGo(providers);
  return await end();
}

/**
 * Ends this process when a third-party provider keeps it from running for as long as an answer may take: an endless loop would stay for ever,
 * and Dovecot doesn't end it. (Its thread: see service/watchdog.ts.)
 */
async function watchForeign({ providers, timeout }: Config, user: string, { logDescriptor }: Launcher): Promise<void> {
  const foreign = providers.filter((name) => !Object.hasOwn(BUILT_IN, name));
  // With little address space there is none for a thread.
  if (foreign.length === 0 || logDescriptor !== 2) return;
  const { startWatchdog } = await import('../service/watchdog.js');
  const message = `${user}: a third-party provider (${foreign.join(', ')}) has blocked the process for longer than timeout = ${timeout} ms; the process is terminated`;
  startWatchdog(timeout, stderrLine('error', message));
}

/** Gives the providers a moment to close what they hold. */
async function letGo(providers: readonly OpenProvider[]): Promise<void> {
  const closing = Promise.allSettled(providers.map(async ({ provider }) => provider.close?.()));
  await Promise.race([closing, new Promise((resolve) => setTimeout(resolve, CLOSING_TIME))]);
}

/** Ends the process, which nothing may hold up: not a connection, nor a thread of a third-party addon that hangs in native code. */
async function end(): Promise<never> {
  // exit(3) waits for such a thread, a signal doesn't. This is the one that no shell remarks upon; without a handler it ends the process.
  process.on('SIGPIPE', () => {}).removeAllListeners('SIGPIPE');
  process.kill(process.pid, 'SIGPIPE');
  return await new Promise<never>(() => {});
}
