import { expect, inject, it } from 'vitest';
import { soakAnswers } from '../soak/answers.js';
import { soakLogins } from '../soak/logins.js';

// The lots; what comes of them depends on the machine, and must be right on any. `npm run soak` goes on for longer, with others each time.
const SEED = Number(process.env.ACL_GROUPS_TEST_SEED ?? 20261124);

it(`gives nobody a wrong answer, and denies nobody without a cause, in whatever weather (ACL_GROUPS_TEST_SEED=${SEED})`, {
  timeout: 600_000,
}, async () => {
  const { problems, table } = await soakAnswers(inject('installed')['2.3'], { seed: SEED, answers: 15_000, rate: 1000 });
  expect(problems, table).toEqual([]);
});

it('lets users of a real Dovecot in with the right groups in the same weather', { timeout: 600_000 }, async () => {
  const { problems, table } = await soakLogins(inject('installed')['2.4'], '2.4', { seed: SEED, answers: 300, rate: 20 });
  expect(problems, table).toEqual([]);
});
