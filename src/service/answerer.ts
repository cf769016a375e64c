import type { Config } from '../config/load.js';
import { createVersionFinder } from '../dovecot/version.js';
import { answerLogin, type LoginAnswer, logAnswer } from '../login/answer.js';
import { type LoginFacts, type LoginRequest, loginRequest } from '../login/request.js';
import { type Resolution, resolveGroups } from '../login/resolve.js';
import type { LoginUser } from '../providers/provider.js';
import type { OpenProvider } from '../providers/registry.js';
import { milliseconds } from '../support/clock.js';
import { explain } from '../support/errors.js';
import { createLimiter } from '../support/limiter.js';
import type { Logger } from '../support/log.js';
import { type Cache, createCache, type Fetched, type Stale } from './cache.js';
import type { Counters } from './counters.js';

/** Answers logins under one configuration. */
export interface Answerer {
  /**
   * The value of `acl_groups`; `null` denies the login.
   * @throws UsageError for a user name that can't be looked up
   */
  answer(facts: LoginFacts): Promise<string | null>;
  /** Empties the cache. */
  forget(): void;
  /** One line about what goes on now. */
  status(): string;
  /** Waits for the answers under way, then lets go of the providers. */
  close(): Promise<void>;
}

/** Denies every login, because of a configuration that can't be used: it must not mean "no groups". */
export function createDenier(reason: string): Answerer {
  return {
    answer: ({ name }) => Promise.reject(new Error(`${name}: ${reason}`)),
    forget: () => {},
    status: () => 'no configuration',
    close: () => Promise.resolve(),
  };
}

/** Each lookup may hold a connection to a directory or a process; providers have bounds of their own below this. */
const MAX_RUNNING = 128;
/** More than this many different users can't be answered within any sensible timeout. */
const MAX_WAITING = 4096;

/** An answerer with an empty cache. */
export function createAnswerer(config: Config, providers: readonly OpenProvider[], log: Logger, counters: Counters): Answerer {
  const emptyCache = (): Cache<string | null> => createCache(config.cache, milliseconds, () => counters.hits++);
  let cache = emptyCache();
  const limiter = createLimiter('lookups', MAX_RUNNING, MAX_WAITING);
  const keyParts = providers.flatMap(({ provider }) => (provider.cacheKey === undefined ? [] : [provider]));
  let underWay = 0;
  let onIdle: (() => void) | undefined;
  const version = createVersionFinder(config, process.env);

  function key({ user, existing }: LoginRequest): string {
    const rest = keyParts.length === 0 ? '' : JSON.stringify(keyParts.map((provider) => provider.cacheKey?.(user)));
    // Neither name holds control characters, so that no two users share a key. Joined, because V8 would keep a string made
    // by + or a template as the tree of its parts: 120 bytes more for each user in the cache.
    return [user.name, user.account, rest, existing].join('\n');
  }

  async function lookUp(request: LoginRequest): Promise<LoginAnswer> {
    const resolution = await resolveInTurn(request.user);
    return answerLogin(request, resolution, config, version);
  }

  /** `timeout` is for the whole answer, waiting included. */
  async function resolveInTurn(user: LoginUser): Promise<Resolution> {
    const since = milliseconds();
    let timer: NodeJS.Timeout | undefined;
    const patience = (): AbortSignal => {
      const deadline = new AbortController();
      const giveUp = (): void => deadline.abort(new Error(`no lookup could be started within ${config.timeout} ms`));
      timer = setTimeout(giveUp, config.timeout);
      return deadline.signal;
    };
    try {
      return await limiter.run(() => {
        clearTimeout(timer);
        return resolve(user, Math.max(1, Math.ceil(config.timeout - (milliseconds() - since))));
      }, patience);
    } finally {
      clearTimeout(timer);
    }
  }

  async function resolve(user: LoginUser, timeout: number): Promise<Resolution> {
    const started = milliseconds();
    const resolution = await resolveGroups(user, providers, timeout);
    counters.lookups++;
    counters.slowest = Math.max(counters.slowest, milliseconds() - started);
    for (const { name, outcome } of resolution.reports) {
      if (outcome === 'error') counters.errors.set(name, (counters.errors.get(name) ?? 0) + 1);
    }
    return resolution;
  }

  async function fetch(request: LoginRequest, stale: Stale<string | null> | undefined): Promise<Fetched<string | null>> {
    const { name } = request.user;
    let answer: LoginAnswer;
    try {
      answer = await lookUp(request);
    } catch (error) {
      if (stale !== undefined) return useStale(name, explain(error), stale);
      log.error(`${name}: ${explain(error)}; login denied`);
      return { value: null, kind: 'failure' };
    }
    const failures = answer.providers.filter(({ outcome }) => outcome === 'error');
    if (failures.length > 0 && stale !== undefined) {
      return useStale(name, failures.map((failure) => `provider ${failure.name} failed: ${failure.error}`).join('; '), stale);
    }
    logAnswer(name, answer, log);
    return { value: answer.verdict === 'deny' ? null : answer.value, kind: failures.length > 0 ? 'failure' : 'fresh' };
  }

  function useStale(name: string, problem: string, { value, age }: Stale<string | null>): Fetched<string | null> {
    counters.stale++;
    log.warning(`${name}: ${problem}; answered as ${Math.round(age / 1000)} s ago (stale_ttl)`);
    return { value, kind: 'stale' };
  }

  return {
    async answer(facts) {
      const request = loginRequest(facts, config.user_format);
      underWay++;
      try {
        return await cache.get(key(request), (stale) => fetch(request, stale));
      } finally {
        underWay--;
        if (underWay === 0) onIdle?.();
      }
    },
    forget() {
      cache = emptyCache();
    },
    status: () => `users in the cache ${cache.size}, lookups under way ${limiter.running}, waiting ${limiter.waiting}`,
    async close() {
      if (underWay > 0) {
        await new Promise<void>((idle) => {
          onIdle = idle;
        });
      }
      await Promise.all(providers.map(({ provider }) => provider.close?.()));
    },
  };
}
