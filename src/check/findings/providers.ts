import { openProviders } from '../../providers/registry.js';
import { explain } from '../../support/errors.js';
import { createLogger } from '../../support/log.js';
import { error, ok, type PlacedFinding, type ServiceCheck, warning } from '../finding.js';

/** Milliseconds for one provider's look at what it depends on. */
const TIMEOUT = 30_000;

/** What each provider says of itself: whether its source is there, can be read, answers, and how fast. */
export const providers: ServiceCheck = {
  name: 'providers',
  section: 'configuration',
  asService: true,
  async look({ config }) {
    if (config instanceof Error) return [];
    const logged: PlacedFinding[] = [];
    const logFor = (name: string) =>
      createLogger((level, message) => {
        if (level === 'warning' || level === 'error') logged.push(warning(`provider ${name}`, message));
      });
    try {
      const open = await openProviders(config, logFor);
      try {
        const found = await Promise.all(
          open.map(async ({ name, provider }): Promise<readonly PlacedFinding[]> => {
            const place = `provider ${name}`;
            if (provider.check === undefined) return [ok(place, 'can be loaded; it has no check of its own')];
            try {
              return (await provider.check(AbortSignal.timeout(TIMEOUT))).map((finding) => ({ ...finding, place }));
            } catch (thrown) {
              return [error(place, explain(thrown))];
            }
          }),
        );
        return [...found.flat(), ...logged];
      } finally {
        await Promise.all(open.map(({ provider }) => provider.close?.()));
      }
    } catch (thrown) {
      return [error(config.file, explain(thrown), { what: 'correct it; what providers take: acl-groups providers' })];
    }
  },
};
