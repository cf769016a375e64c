import { ConfigError, explain, ProviderError } from '../../support/errors.js';
import type { Logger } from '../../support/log.js';
import type { LoadedProvider } from '../create.js';
import type { Finding, Group, GroupProvider, LoginUser } from '../provider.js';
import { createKeeper, type Keeper } from './keeper.js';
import type { Methods, ThreadStart } from './messages.js';

/**
 * A third-party provider in a thread of its own. `timeout`, in milliseconds, bounds what has no signal of its own, `cacheKey`.
 * @throws ConfigError
 */
export async function loadInThread(start: ThreadStart, log: Logger, timeout: number): Promise<LoadedProvider> {
  const keeper = createKeeper(start, log);
  try {
    const { name } = await keeper.load();
    return {
      name,
      async open(table, { directory }) {
        const methods = await keeper.create({ kind: 'create', table, directory }).catch(refuse);
        return provide(name, keeper, methods, timeout);
      },
      discard: () => keeper.close(),
    };
  } catch (error) {
    await keeper.close();
    return refuse(error);
  }
}

function refuse(error: unknown): never {
  throw new ConfigError(explain(error), { cause: error });
}

function provide(name: string, keeper: Keeper, methods: Methods, timeout: number): GroupProvider {
  // The thread gives nothing else, by group-list.ts and by its own conversions.
  const groups = async (user: LoginUser, signal: AbortSignal): Promise<readonly Group[] | undefined> =>
    (await keeper.call({ method: 'groups', user }, signal)) as readonly Group[] | undefined;
  const check = async (signal: AbortSignal): Promise<readonly Finding[]> =>
    (await keeper.call({ method: 'check' }, signal)) as readonly Finding[];
  async function cacheKey(user: LoginUser): Promise<string> {
    const deadline = new AbortController();
    const tooLate = (): void => deadline.abort(new ProviderError(name, `no answer of cacheKey() within ${timeout} ms`, { timedOut: true }));
    const timer = setTimeout(tooLate, timeout);
    try {
      return (await keeper.call({ method: 'cacheKey', user }, deadline.signal)) as string;
    } finally {
      clearTimeout(timer);
    }
  }
  return {
    groups,
    ...(methods.cacheKey ? { cacheKey } : {}),
    ...(methods.check ? { check } : {}),
    close: () => keeper.close(),
  };
}
