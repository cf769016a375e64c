import { appendAclGroups, formatAclGroups } from '../dovecot/notation.js';
import type { LoginAnswer } from './answer.js';

/** As much of an answer as there is room for. */
export interface FittedValue {
  /** Whole names only; `undefined` where not even what the userdb gave has the room. */
  readonly value: string | undefined;
  /** How many of the answer's groups are in it: those of the userdb, then the first ones of the others. */
  readonly kept: number;
}

/** The value of an answer for a door that takes `limit` bytes of it at most. What doesn't fit is a failure, which `on_error` decides about. */
export function fitValue({ value, existing, added, groups, dovecot }: LoginAnswer, limit: number): FittedValue {
  if (Buffer.byteLength(value) <= limit) return { value, kept: groups.length };
  const names = added.map(({ name }) => name);
  const shortened = (count: number): string =>
    appendAclGroups(existing, formatAclGroups(names.slice(0, count), dovecot?.version).value, dovecot?.version);
  const given = groups.length - names.length;
  if (Buffer.byteLength(existing) > limit) return { value: undefined, kept: 0 };
  let fits = 0;
  for (let tooMany = names.length; tooMany - fits > 1; ) {
    const middle = Math.floor((fits + tooMany) / 2);
    if (Buffer.byteLength(shortened(middle)) <= limit) fits = middle;
    else tooMany = middle;
  }
  return { value: shortened(fits), kept: given + fits };
}
