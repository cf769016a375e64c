import { LRUCache } from 'lru-cache';

/** Whether something is said for the first time in a while. */
export type FirstTime = (what: string) => boolean;

/**
 * Remembers what was said: `true` for what wasn't within the last `interval` milliseconds, or is forgotten because more than `most`
 * other things were said since.
 */
export function createFirstTime(interval: number, most: number): FirstTime {
  const said = new LRUCache<string, true>({ max: most, ttl: interval });
  return (what) => {
    if (said.has(what)) return false;
    said.set(what, true);
    return true;
  };
}
