/**
 * What posix-getopt needs of node:assert, which takes milliseconds to load. The build puts this in its place.
 * @throws Error
 */
export function ok(condition: unknown, message = 'assertion failed'): asserts condition {
  if (!condition) throw new Error(message);
}
