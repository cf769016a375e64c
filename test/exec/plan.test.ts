import { describe, expect, it } from 'vitest';
import { formatPlan } from '../../src/exec/plan.js';

const PLAN = { status: 0, optionWords: 2, program: '/bin/true', unset: ['PWD', 'X'], addition: 'a,b' };

describe('formatPlan', () => {
  it('puts a line between the fields, and ends with a full stop and a line of its own', () => {
    expect(formatPlan(PLAN).toString()).toBe('-\n0\n-\n2\n-\n/bin/true\n-\nPWD X\n-\n\n-\n\n-\na,b\n-\n.\n-.');
    expect(formatPlan({ ...PLAN, keys: 'unchanged' }).toString()).toContain('\n-\nPWD X\n-\nunchanged\n-\n\n-\na,b\n-\n.\n-.');
    expect(formatPlan({ ...PLAN, keys: Buffer.from('UID \xff ', 'latin1') }).toString('latin1')).toContain('\n-\n=UID \xff \n-\n');
  });

  it('is never whole when it is cut off, whatever the value begins with', () => {
    const whole = formatPlan({ ...PLAN, addition: '.staff\n.' }).toString();
    const isWhole = (text: string): boolean => text.endsWith('\n-\n.\n-.');
    expect(Array.from(whole, (_, length) => isWhole(whole.slice(0, length)))).not.toContain(true);
    expect(isWhole(whole)).toBe(true);
    expect(formatPlan({ ...PLAN, addition: '.\n-.' }).toString()).toMatch(/\n--\n\.\n-\.\n--\n\.\n--\.$/);
  });

  it.each(['x\n-\ny', 'x\n-', '-\nx', '-', '-.x'])('takes a line that is not in a variable such as %j', (value) => {
    const perl = { path: '/usr/bin/perl', variables: [Buffer.from(`A=${value}`), Buffer.from(value)] };
    expect(
      formatPlan({ ...PLAN, perl })
        .toString()
        .split('\n--\n')
        .slice(-6),
    ).toEqual(['/usr/bin/perl', `A=${value}`, value, '', 'a,b', '.\n--.']);
  });
});
