import type { Logger } from '../support/log.js';
import type { GroupProvider } from './provider.js';

/** Milliseconds that close() waits for lookups, which were all aborted before by their own time limits. */
const PATIENCE = 250;

/**
 * The provider, closed only when none of its calls runs. One that doesn't end, because the provider ignores its signal, has it never closed:
 * what is closed under a lookup may answer wrongly.
 */
export function closedLast(name: string, provider: GroupProvider, log: Logger): GroupProvider {
  const { cacheKey, check, groupNames, close } = provider;
  if (close === undefined) return provider;
  let running = 0;
  let onIdle: () => void = () => {};
  let closing: Promise<void> | undefined;

  async function counted<Value>(call: () => Promise<Value>): Promise<Value> {
    running++;
    try {
      return await call();
    } finally {
      if (--running === 0) onIdle();
    }
  }

  async function closeWhenIdle(): Promise<void> {
    if (running > 0) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        onIdle = resolve;
        timer = setTimeout(resolve, PATIENCE);
      });
      clearTimeout(timer);
    }
    if (running === 0) await close?.call(provider);
    else
      log.warning(
        `provider ${name}: not closed, because ${running === 1 ? 'a lookup' : `${running} lookups`} of it ignored the time limit`,
      );
  }

  return {
    groups: (user, signal) => counted(() => provider.groups(user, signal)),
    ...(cacheKey && { cacheKey: (user) => cacheKey.call(provider, user) }),
    ...(check && { check: (signal) => counted(() => check.call(provider, signal)) }),
    ...(groupNames && { groupNames: (asked, signal) => counted(() => groupNames.call(provider, asked, signal)) }),
    close() {
      closing ??= closeWhenIdle();
      return closing;
    },
  };
}
