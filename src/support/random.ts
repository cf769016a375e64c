/**
 * A number of 32 bits that nobody can foresee, for names that must not collide and for hashes that must not be steered. Not for secrets:
 * V8's generator, which begins with the system's entropy, in place of node:crypto, which takes 6 of the 60 ms in which a service starts.
 */
export function random32(): number {
  return Math.floor(Math.random() * 2 ** 32);
}
