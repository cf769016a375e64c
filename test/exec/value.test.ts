import { expect, it } from 'vitest';
import { LONGEST_VALUE } from '../../src/exec/value.js';

it('leaves room for the name and the final NUL in the longest value', () => {
  expect(`ACL_GROUPS=${'x'.repeat(LONGEST_VALUE)}\0`).toHaveLength(131_072);
});
