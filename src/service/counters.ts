/** What the service has done since its start; SIGUSR1 logs it. */
export interface Counters {
  /** Logins that asked, denied ones included. */
  logins: number;
  denied: number;
  /** Logins that were answered without a lookup of their own. */
  hits: number;
  /** Lookups for which an old answer had to stand in. */
  stale: number;
  lookups: number;
  /** Milliseconds. */
  slowest: number;
  /** Connections closed because they didn't speak the protocol, or took too long. */
  refused: number;
  /** Failures by provider. */
  readonly errors: Map<string, number>;
}

export function createCounters(): Counters {
  return { logins: 0, denied: 0, hits: 0, stale: 0, lookups: 0, slowest: 0, refused: 0, errors: new Map() };
}

/** The counters as one line of text. */
export function formatCounters(counters: Counters): string {
  const errors = [...counters.errors].map(([provider, count]) => `${provider} ${count}`);
  return [
    `logins ${counters.logins}`,
    `denied ${counters.denied}`,
    `cache hits ${counters.hits}`,
    `stale answers ${counters.stale}`,
    `lookups ${counters.lookups}`,
    `slowest lookup ${counters.slowest.toFixed(1)} ms`,
    `refused connections ${counters.refused}`,
    `provider errors ${errors.length === 0 ? 0 : errors.join(' ')}`,
  ].join(', ');
}
