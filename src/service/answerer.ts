import type { Config } from '../config/load.js';
import type { Outcome } from '../doors/door.js';
import { ACL_GROUPS_FIELD } from '../dovecot/fields.js';
import { createVersionFinder } from '../dovecot/version.js';
import { answerLogin, type LoginAnswer, logAnswer } from '../login/answer.js';
import { fitValue } from '../login/fit.js';
import { hasMaster, type LoginFacts, type LoginRequest, loginRequest, subjectOf } from '../login/request.js';
import { type Resolution, resolveGroups } from '../login/resolve.js';
import type { OpenProvider } from '../providers/registry.js';
import { milliseconds } from '../support/clock.js';
import { explain } from '../support/errors.js';
import { createLimiter } from '../support/limiter.js';
import type { Logger } from '../support/log.js';
import { createFirstTime } from '../support/repeat.js';
import { bytesOf } from '../support/text.js';
import { type Cache, createCache, type Fetched, type Stale } from './cache.js';
import { type Counters, countByName } from './counters.js';
import { type Kept, type Narrow, pack, unpack } from './kept.js';

/** Answers logins under one configuration. */
export interface Answerer {
  /**
   * What a login is told; at once where that is known, and within `timeout` in any case. `narrow`: the value has to fit into the reply of
   * Dovecot's auth process.
   * @throws UsageError for a user name that can't be looked up
   */
  answer(facts: LoginFacts, narrow: boolean): Outcome | Promise<Outcome>;
  /** Empties the cache. */
  forget(): void;
  /** What goes on now. */
  status(): AnswererStatus;
  /** Waits for the lookups under way, then closes the providers. */
  close(): Promise<void>;
}

/** The figures of an answerer, by the names that `cn=monitor` has. */
export type AnswererStatus = Readonly<{
  configuration: string;
  providers: readonly string[];
  cachedUsers: number;
  /** By the cache's own count. */
  cacheBytes: number;
  lookupsRunning: number;
  lookupsWaiting: number;
}>;

/** Denies every login, because of a configuration that can't be used: it must not mean "no groups". */
export function createDenier(reason: string): Answerer {
  return {
    answer: ({ name }) => Promise.reject(new Error(`${name}: ${reason}`)),
    forget: () => {},
    status: () => ({ configuration: '', providers: [], cachedUsers: 0, cacheBytes: 0, lookupsRunning: 0, lookupsWaiting: 0 }),
    close: () => Promise.resolve(),
  };
}

/** Each lookup may hold a connection to a directory or a process; providers have bounds of their own below this. */
const MAX_RUNNING = 128;
/** More than this many different users can't be answered within any sensible timeout. */
const MAX_WAITING = 4096;

/**
 * How much longer than a lookup somebody waits who shares one, in milliseconds: the lookup's own end comes first, and says more than that
 * time is up.
 */
const GRACE = 250;

const HOUR = 3_600_000;
/** How many different warnings are remembered; past that, one may be logged again sooner. */
const MOST_WARNINGS = 10_000;

/** An answerer with an empty cache. `now` is a clock in milliseconds that never goes back. */
export function createAnswerer(
  config: Config,
  providers: readonly OpenProvider[],
  log: Logger,
  counters: Counters,
  now: () => number = milliseconds,
): Answerer {
  const { ttl, stale_ttl: staleTtl, max_size: maxSize } = config.cache;
  const emptyCache = (): Cache<Kept> => createCache({ ttl, staleTtl, maxSize, now, pack, unpack });
  let cache = emptyCache();
  const limiter = createLimiter('lookups', MAX_RUNNING, MAX_WAITING);
  const isKeyed = providers.some(({ provider }) => provider.cacheKey !== undefined);
  /** Lookups whose providers haven't all ended, one that was given up on included: it may still run. */
  let underWay = 0;
  let onIdle: (() => void) | undefined;
  const version = createVersionFinder(config, process.env);
  const isNew = createFirstTime(HOUR, MOST_WARNINGS);
  /** What is wrong with a user's groups is said once an hour, and not at each of his logins. */
  const onceAnHour: Logger = { ...log, warning: (message) => void (isNew(message) && log.warning(message)) };

  /** Neither name holds control characters, so that no two requests share a key. */
  function keyOf({ user, existing, others }: LoginRequest, rest = ''): string {
    // Joined, because V8 would keep a string made by + or a template as the tree of its parts: 120 bytes more for each user in the cache.
    const spellings = others.length === 0 ? '' : JSON.stringify(others);
    return [user.name, user.account === user.name ? '\t' : user.account, rest, spellings, existing].join('\n');
  }

  /** What the answer depends on beside name and account, and whom to ask: a provider that can't say it has failed. */
  async function keyOfProviders({ user }: LoginRequest): Promise<{ readonly rest: string; readonly asked: readonly OpenProvider[] }> {
    const keys: (string | null)[] = [];
    const asked = await Promise.all(
      providers.map(async (open, index) => {
        if (open.provider.cacheKey === undefined) return open;
        // Unlike any key; what comes of a failure isn't kept.
        keys[index] = null;
        try {
          keys[index] = await open.provider.cacheKey(user);
          return open;
        } catch (error) {
          return { name: open.name, provider: { groups: () => Promise.reject(error) } };
        }
      }),
    );
    return { rest: JSON.stringify(keys), asked };
  }

  async function lookUp(request: LoginRequest, asked: readonly OpenProvider[]): Promise<LoginAnswer> {
    return answerLogin(request, await resolveInTurn(request, asked), config, version);
  }

  /** `timeout` is for the whole answer, waiting included. A lookup counts as running until its last provider has ended. */
  async function resolveInTurn({ user }: LoginRequest, asked: readonly OpenProvider[]): Promise<Resolution> {
    const since = milliseconds();
    underWay++;
    try {
      return await limiter.run(
        async (hold) => {
          const resolution = await resolveGroups(user, asked, Math.max(1, Math.ceil(config.timeout - (milliseconds() - since))));
          counters.lookups++;
          counters.slowestLookup = Math.max(counters.slowestLookup, milliseconds() - since);
          hold(resolution.ended);
          underWay++;
          void resolution.ended.then(ended);
          return resolution;
        },
        () => AbortSignal.timeout(config.timeout),
      );
    } catch (error) {
      // By the error, not by the clock: a timer may be early by a part of a millisecond.
      const tooLate = error instanceof DOMException && error.name === 'TimeoutError';
      throw tooLate ? new Error(`no lookup could be started within ${config.timeout} ms`) : error;
    } finally {
      ended();
    }
  }

  function ended(): void {
    if (--underWay === 0) onIdle?.();
  }

  async function fetch(request: LoginRequest, asked: readonly OpenProvider[], stale: Stale<Kept> | undefined): Promise<Fetched<Kept>> {
    const { name } = request.user;
    let answer: LoginAnswer;
    try {
      answer = await lookUp(request, asked);
    } catch (error) {
      const problem = explain(error);
      if (stale !== undefined) return { value: useStale(name, problem, stale), kind: 'stale' };
      log.error(`${name}: ${problem}; login denied`);
      return { value: denial(problem), kind: 'failure' };
    }
    const failures = answer.providers.filter(({ outcome }) => outcome === 'error');
    for (const failure of failures) countByName(counters.providerErrors, failure.name);
    const problem = failures.map((failure) => `provider ${failure.name} failed: ${failure.error}`).join('; ');
    if (failures.length > 0 && stale !== undefined) return { value: useStale(name, problem, stale), kind: 'stale' };
    logAnswer(name, answer, onceAnHour);
    return { value: keep(answer, problem, config), kind: failures.length > 0 ? 'failure' : 'fresh' };
  }

  function useStale(name: string, problem: string, { value, age }: Stale<Kept>): Kept {
    counters.staleAnswers++;
    log.warning(`${name}: ${problem}; answered as ${Math.round(age / 1000)} s ago (stale_ttl)`);
    return value;
  }

  /**
   * Waits for a lookup no longer than `timeout` from `since`, whatever becomes of it. Who has a stale answer gets that after half of the
   * time: Dovecot sends no more than eight requests at a time on one connection, so that eight slow ones hold up everybody.
   */
  function within(name: string, key: string, lookup: Promise<Kept>, since: number): Promise<Kept> {
    const half = config.timeout / 2;
    const until = (end: number): number => Math.max(0, since + end - milliseconds());
    return new Promise((resolve, reject) => {
      let timer = setTimeout(() => {
        const stale = cache.stale(key);
        if (stale !== undefined) resolve(useStale(name, `no answer within ${half} ms`, stale));
        timer = setTimeout(
          () => {
            const problem = `no answer within ${config.timeout} ms`;
            if (stale === undefined) log.error(`${name}: ${problem}; login denied`);
            resolve(denial(problem));
          },
          until(config.timeout + GRACE),
        );
      }, until(half));
      const settle = (): void => clearTimeout(timer);
      lookup.then(resolve, reject).then(settle, settle);
    });
  }

  function answerKeyed(request: LoginRequest, key: string, asked = providers, since = milliseconds()): Kept | Promise<Kept> {
    const kept = cache.fresh(key);
    if (kept !== undefined) {
      counters.cacheHits++;
      return kept;
    }
    let own = false;
    const lookup = cache.lookUp(key, () => {
      own = true;
      return fetch(request, asked, cache.stale(key));
    });
    if (!own) counters.cacheHits++;
    return within(request.user.name, key, lookup, since);
  }

  function answerRequest(request: LoginRequest, narrow: boolean): Outcome | Promise<Outcome> {
    const { name } = request.user;
    const since = milliseconds();
    const found = isKeyed
      ? keyOfProviders(request).then(({ rest, asked }) => answerKeyed(request, keyOf(request, rest), asked, since))
      : answerKeyed(request, keyOf(request));
    return found instanceof Promise ? found.then((kept) => forDoor(name, kept, narrow)) : forDoor(name, found, narrow);
  }

  function forDoor(name: string, kept: Kept, narrow: boolean): Outcome {
    if (!narrow || kept.narrow === undefined) return kept;
    log.error(`${name}: ${kept.narrow.problem}`);
    return kept.narrow.outcome;
  }

  return {
    answer(facts, narrow) {
      if (!hasMaster(facts)) return answerRequest(loginRequest(facts, config.user_format), narrow);
      return subjectOf(facts, config.master_user, version).then((subject) =>
        answerRequest(loginRequest(facts, config.user_format, subject), narrow),
      );
    },
    forget() {
      cache = emptyCache();
    },
    status: () => ({
      configuration: config.file,
      providers: providers.map(({ name }) => name),
      cachedUsers: cache.size,
      cacheBytes: cache.bytes,
      lookupsRunning: limiter.running,
      lookupsWaiting: limiter.waiting,
    }),
    async close() {
      if (underWay > 0) await new Promise<void>((resolve) => (onIdle = resolve));
      await Promise.all(providers.map(({ provider }) => provider.close?.()));
    },
  };
}

function denial(reason: string): Kept {
  return { verdict: 'deny', text: reason, narrow: undefined };
}

/** What is kept of an answer. */
function keep(answer: LoginAnswer, problem: string, config: Config): Kept {
  if (answer.verdict === 'deny') return denial(problem);
  if (answer.verdict === 'unknown') return { verdict: 'unknown', text: '', narrow: undefined };
  const text = bytesOf(answer.value);
  return { verdict: 'grant', text, narrow: narrowAnswer(answer, text.length, config) };
}

/** Dovecot takes so many bytes of a userdb reply, all fields together (lib-auth/auth-client-connection.c, AUTH_CLIENT_MAX_LINE_LENGTH). */
const LONGEST_REPLY = 8192;

/** What fits into a userdb reply of an answer that doesn't, by `on_error`. */
function narrowAnswer(answer: LoginAnswer, bytes: number, { on_error: onError, userdb }: Config): Narrow | undefined {
  const room = LONGEST_REPLY - userdb.room - ACL_GROUPS_FIELD.length - 2;
  if (bytes <= room) return undefined;
  const what = `${answer.groups.length} groups take ${bytes} bytes, and a userdb reply has room for ${room}`;
  const fix = '[groups] include and exclude choose groups, and the post-login service has no such limit';
  const { value, kept } = onError === 'continue' ? fitValue(answer, room) : { value: undefined, kept: 0 };
  if (value === undefined) {
    const why = onError === 'deny' ? ' (on_error = "deny")' : '';
    return { outcome: { verdict: 'deny', text: what }, problem: `${what}; login denied${why}; ${fix}` };
  }
  const rest = `going on with ${kept} of ${answer.groups.length} groups (on_error = "continue")`;
  return { outcome: { verdict: 'grant', text: bytesOf(value) }, problem: `${what}; ${rest}; ${fix}` };
}
