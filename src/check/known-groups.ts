import type { Config } from '../config/load.js';
import { selectGroups } from '../login/select.js';
import { openProviders } from '../providers/registry.js';
import { explain } from '../support/errors.js';
import { createLogger } from '../support/log.js';

/** Which groups the sources have. */
export interface KnownGroups {
  /** By the names that Dovecot is given. */
  readonly names: readonly string[];
  /** The providers that can't say, with why. */
  readonly silent: readonly string[];
}

const TIMEOUT = 30_000;

/** Which groups the sources have, at least of those asked for by the names that Dovecot is given. @throws ConfigError */
export async function knownGroups(config: Config, asked: readonly string[]): Promise<KnownGroups> {
  const former = [...config.groups.rename].filter(([, name]) => asked.includes(name)).map(([name]) => name);
  const open = await openProviders(config, () => createLogger(() => {}));
  const silent: string[] = [];
  try {
    const found = await Promise.all(
      open.map(async ({ name: provider, provider: source }) => {
        try {
          if (source.groupNames === undefined) throw new Error("it can't list groups");
          const names = await source.groupNames([...asked, ...former], AbortSignal.timeout(TIMEOUT));
          return names.map((name) => ({ name, provider }));
        } catch (error) {
          silent.push(`${provider}: ${explain(error)}`);
          return [];
        }
      }),
    );
    const { groups } = selectGroups(found.flat(), config.groups, true);
    return { names: groups.map(({ name }) => name), silent };
  } finally {
    await Promise.all(open.map(({ provider }) => provider.close?.()));
  }
}
