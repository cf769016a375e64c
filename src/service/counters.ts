import type { Monitor } from '../doors/door.js';

/**
 * What the service has done since its start. To add a counter: a line here, its start below, and the place that counts. `cn=monitor`,
 * `acl-groups status` and the line that SIGUSR1 logs show all of them.
 */
export interface Counters {
  /** Logins that asked, denied ones included. */
  logins: number;
  denied: number;
  /** Logins of users whom no provider knows. */
  unknownUsers: number;
  /** Logins that were answered without a lookup of their own. */
  cacheHits: number;
  /** Logins for which an old answer had to stand in. */
  staleAnswers: number;
  lookups: number;
  /** Milliseconds. */
  slowestLookup: number;
  /** Connections closed because they didn't speak the protocol, or took too long. */
  refusedConnections: number;
  /** Logins by door. */
  readonly doors: Map<string, number>;
  /** Failures by provider. */
  readonly providerErrors: Map<string, number>;
}

export function createCounters(): Counters {
  return {
    logins: 0,
    denied: 0,
    unknownUsers: 0,
    cacheHits: 0,
    staleAnswers: 0,
    lookups: 0,
    slowestLookup: 0,
    refusedConnections: 0,
    doors: new Map(),
    providerErrors: new Map(),
  };
}

/** Adds one to what is counted by name. */
export function countByName(counter: Map<string, number>, name: string): void {
  counter.set(name, (counter.get(name) ?? 0) + 1);
}

/** The counters by name, those that count by name as lists such as `["ldap 3"]`. */
export function showCounters(counters: Counters): Monitor {
  return Object.fromEntries(
    Object.entries(counters).map(([name, value]) => [
      name,
      value instanceof Map ? [...value].map(([key, count]) => `${key} ${count}`) : Math.round(value * 10) / 10,
    ]),
  );
}

/** The figures that are lists: LDAP shows one value of an attribute as it shows several, and none as no attribute. */
export const LISTS: ReadonlySet<string> = new Set<keyof Counters | 'providers'>(['doors', 'providerErrors', 'providers']);

/** What the service tells about itself as one line of text. */
export function formatMonitor(monitor: Monitor): string {
  return Object.entries(monitor)
    .map(([name, value]) => `${inWords(name)} ${typeof value === 'object' ? value.join(' ') || 0 : value}`)
    .join(', ');
}

/** `cacheHits` as "cache hits". */
export function inWords(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
