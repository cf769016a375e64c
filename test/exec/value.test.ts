import { expect, it } from 'vitest';
import { fitVariable, LONGEST_VALUE } from '../../src/exec/value.js';
import type { LoginAnswer } from '../../src/login/answer.js';

it('leaves room for the name and the final NUL in the longest value', () => {
  expect(`ACL_GROUPS=${'x'.repeat(LONGEST_VALUE)}\0`).toHaveLength(131_072);
});

it.each(['unix', 'userdb'])('keeps as many groups as fit of a provider called %s, and says how many', (provider) => {
  const added = Array.from({ length: 1000 }, (_, index) => ({ name: `${index}`.padStart(200, 'x'), provider }));
  const value = added.map(({ name }) => name).join(',');
  const answer: LoginAnswer = {
    verdict: 'grant',
    value,
    versionMatters: false,
    dovecot: undefined,
    groups: added,
    existing: '',
    added,
    skipped: [],
    providers: [],
  };
  const lines: string[] = [];
  expect(fitVariable(answer, 'continue', (message) => lines.push(message))).toBe(value.slice(0, 652 * 201 - 1));
  expect(fitVariable(answer, 'deny', (message) => lines.push(message))).toBeUndefined();
  const what = 'ACL_GROUPS would have 200999 bytes, and a variable can have 131060';
  const fix = 'the service has no such limit, and [groups] include leaves groups out';
  expect(lines).toEqual([
    `${what}; going on with 652 of 1000 groups (on_error = "continue"); ${fix}`,
    `${what}; login denied (on_error = "deny"); ${fix}`,
  ]);
});
