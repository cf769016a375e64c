import { describe, expect, it } from 'vitest';
import { formatSid, siblingSid } from '../../../../src/providers/ldap/strategy/token-groups.js';

// S-1-5-21-1004336348-1177238915-682003330-512, the example of MS-DTYP 2.4.2.
const SID = Buffer.from('010500000000000515000000dcf4dc3b833d2b46828ba62800020000', 'hex');

describe('SIDs', () => {
  it('are written as people know them', () => {
    expect(formatSid(SID)).toBe('S-1-5-21-1004336348-1177238915-682003330-512');
    expect(formatSid(Buffer.from([1, 2]))).toBe('SID 0x0102');
  });

  it('of one domain differ in the last part', () => {
    expect(formatSid(siblingSid(SID, 513))).toBe('S-1-5-21-1004336348-1177238915-682003330-513');
  });
});
