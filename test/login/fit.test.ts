import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { appendAclGroups, formatAclGroups } from '../../src/dovecot/notation.js';
import type { LoginAnswer } from '../../src/login/answer.js';
import { fitValue } from '../../src/login/fit.js';
import { groupName } from '../support/names.js';

function answerOf(existing: readonly string[], names: readonly string[], provider = 'unix'): LoginAnswer {
  const given = formatAclGroups(existing, '2.4').value;
  const added = names.map((name) => ({ name, provider }));
  return {
    verdict: 'grant',
    value: appendAclGroups(given, formatAclGroups(names, '2.4').value, '2.4'),
    versionMatters: true,
    dovecot: { version: '2.4', source: '-D', text: '2.4' },
    groups: [...existing.map((name) => ({ name, provider: 'userdb' })), ...added],
    existing: given,
    added,
    skipped: [],
    providers: [],
  };
}

describe('fitValue', () => {
  it('is the whole value where that fits', () => {
    expect(fitValue(answerOf(['a'], ['b', 'c d']), 9)).toEqual({ value: 'a,b,"c d"', kept: 3 });
  });

  it.each(['unix', 'userdb', 'config'])('keeps as many whole names as fit, of a provider called %s as well', (provider) => {
    expect(fitValue(answerOf(['a'], ['b', 'c d', 'e'], provider), 8)).toEqual({ value: 'a,b', kept: 2 });
    expect(fitValue(answerOf([], ['aa', 'é', 'e'], provider), 5)).toEqual({ value: 'aa,é', kept: 2 });
  });

  it('has no value where what the userdb gave does not fit', () => {
    expect(fitValue(answerOf(['abc'], ['b']), 2)).toEqual({ value: undefined, kept: 0 });
  });

  it('leaves no room for one more name', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(groupName, { maxLength: 5 }),
        fc.uniqueArray(groupName, { maxLength: 10 }),
        fc.nat(2000),
        (before, after, limit) => {
          const names = after.filter((name) => !before.includes(name));
          const whole = answerOf(before, names);
          const { value, kept } = fitValue(whole, limit);
          if (value === undefined) {
            expect(Buffer.byteLength(whole.existing)).toBeGreaterThan(limit);
            return;
          }
          expect(Buffer.byteLength(value)).toBeLessThanOrEqual(limit);
          expect(value).toBe(answerOf(before, names.slice(0, kept - before.length)).value);
          if (kept < whole.groups.length)
            expect(Buffer.byteLength(answerOf(before, names.slice(0, kept - before.length + 1)).value)).toBeGreaterThan(limit);
        },
      ),
    );
  });
});
