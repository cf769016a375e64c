import { describe, expect, it } from 'vitest';
import { formatPlan, LONGEST_VALUE } from '../../src/exec/plan.js';

describe('formatPlan', () => {
  it('puts a line between the fields that no field holds, and ends with a full stop', () => {
    const plan = formatPlan({
      status: 0,
      optionWords: 2,
      unset: ['PWD', 'X'],
      addition: 'a\n-\nb',
      prefix: [Buffer.from('env'), Buffer.from('A/B=1')],
    });
    expect(plan.toString()).toBe('--\n0\n--\n2\n--\nPWD X\n--\na\n-\nb\n--\nA/B=1\n--\nenv\n--\n.');
  });
});

it('leaves room for the name and the final NUL in the longest value', () => {
  expect(`ACL_GROUPS=${'x'.repeat(LONGEST_VALUE)}\0`).toHaveLength(131_072);
});
