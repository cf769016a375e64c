import { afterAll, describe, expect, inject, it } from 'vitest';
import { VERSIONS } from '../support/dovecot.js';
import { type Fidelity, formatReport, generateNames, MODES, measureAclGroups, measureShellExample } from '../support/fidelity.js';

const SEED = Number(process.env.ACL_GROUPS_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
const NAMES = generateNames(2000, SEED);

const results: Fidelity[] = [];
afterAll(() => {
  process.stdout.write(
    `${NAMES.length} names, seed ${SEED} (ACL_GROUPS_TEST_SEED=${SEED} gives the same ones)\n${formatReport(results, NAMES.length)}`,
  );
});

describe.each(VERSIONS)('generated group names on their way to Dovecot %s', (version) => {
  it.each(MODES)('arrive as they are by %s', async (mode) => {
    const { command } = inject('installed')[version];
    const result = await measureAclGroups({ version, names: NAMES, mode, perLogin: 50, command });
    results.push(result);
    const commas = version === '2.3' ? NAMES.filter((name) => name.includes(',')).length : 0;
    expect(result).toEqual({
      way: mode,
      version,
      given: NAMES.length,
      inexpressible: commas,
      arrived: NAMES.length - commas,
      lost: [],
      invented: [],
      logins: mode === 'userdb' ? expect.any(Number) : NAMES.length / 50,
      failedLogins: 0,
    });
  });

  it("get lost by the documentation's shell example, which also grants a group that is called `:`", async () => {
    const result = await measureShellExample({ version, names: NAMES });
    results.push(result);
    expect(result.lost.length).toBeGreaterThan(0);
    expect(result.invented).toContain(':');
  }, 600_000);
});
