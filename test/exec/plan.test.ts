import { describe, expect, it } from 'vitest';
import { formatPlan, LONGEST_VALUE, parseEnvironment, repairEnvironment } from '../../src/exec/plan.js';

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

describe('repairEnvironment', () => {
  const original = parseEnvironment(
    'USER=alice\0A/B=x=\ny\0EMPTY=\0IFS=,\0NODE_OPTIONS=--x\0=odd\0TWICE=1\0TWICE=2\0BYTES=\xff\0LOST/\xff=\xfe\0J\xc3\xb6=\xc3\xb6\0',
  );

  it('finds what the shell lost, changed and added, and leaves what the launcher means to change', () => {
    const now = { USER: 'alice', EMPTY: '', IFS: ' ', PWD: '/', SHLVL: '1', UV_THREADPOOL_SIZE: '1', TWICE: '1', BYTES: '\ufffd', Jö: 'ö' };
    const { unset, assignments } = repairEnvironment(original, now);
    expect(unset).toEqual(['PWD']);
    expect(assignments.map((bytes) => bytes.toString('latin1'))).toEqual(['A/B=x=\ny', 'IFS=,', 'LOST/\xff=\xfe']);
  });

  it('has nothing to do where nothing was lost', () => {
    expect(repairEnvironment(parseEnvironment('A=1\0'), { A: '1' })).toEqual({ unset: [], assignments: [] });
  });
});

it('leaves room for the name and the final NUL in the longest value', () => {
  expect(`ACL_GROUPS=${'x'.repeat(LONGEST_VALUE)}\0`).toHaveLength(131_072);
});
