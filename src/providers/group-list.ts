import { isTable } from '../config/options.js';
import { ProviderError } from '../support/errors.js';
import type { Group } from './provider.js';

/** What each key of a group may be beside `undefined`. */
const KINDS: readonly (readonly [keyof Group, 'string' | 'number' | 'boolean'])[] = [
  ['name', 'string'],
  ['gid', 'number'],
  ['dn', 'string'],
  ['skip', 'string'],
  ['wanted', 'boolean'],
  ['incomplete', 'boolean'],
  ['warning', 'string'],
];

/** More than anybody has, and few enough for the service, which would stand still for seconds over millions. */
const MOST_GROUPS = 100_000;

/**
 * A provider's answer with the keys of the contract alone, once it is sure to be one: third-party providers may be JavaScript. What is
 * taken for no group, or for a reason to skip one, would take it away from the user without a word.
 * @throws ProviderError for anything else than `undefined` or a list of groups
 */
export function requireGroups(provider: string, answer: unknown): readonly Group[] | undefined {
  if (answer === undefined) return undefined;
  if (!Array.isArray(answer)) throw notGroups(provider, `found ${kindOf(answer)}`);
  if (answer.length > MOST_GROUPS) throw new ProviderError(provider, `answered with ${answer.length} groups, more than ${MOST_GROUPS}`);
  // Not by map(), which passes over holes.
  return Array.from(answer as ArrayLike<unknown>, (group, index) => requireGroup(provider, group, index));
}

function requireGroup(provider: string, group: unknown, index: number): Group {
  if (!isTable(group)) throw notGroups(provider, `number ${index + 1} of the list is ${kindOf(group)}`);
  // Named one by one: the groups of an object with a class of its own may be getters.
  const { name, gid, dn, skip, wanted, incomplete, warning } = group;
  const copy: Readonly<Record<keyof Group, unknown>> = { name, gid, dn, skip, wanted, incomplete, warning };
  for (const [key, kind] of KINDS) {
    const value = copy[key];
    if (typeof value === kind || (value === undefined && key !== 'name')) continue;
    const allowed = key === 'name' ? `a ${kind}` : `a ${kind} or undefined`;
    throw notGroups(provider, `${key} of number ${index + 1} of the list is ${kindOf(value)}, not ${allowed}`);
  }
  return copy as Group;
}

function notGroups(provider: string, problem: string): ProviderError {
  return new ProviderError(
    provider,
    `answered with something other than undefined or a list of groups such as [{ name: "staff" }]: ${problem}`,
  );
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
