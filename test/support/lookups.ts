/**
 * A program that looks accounts up, all at once, and writes what came of each as it comes, a JSON object a line. Its argument is a
 * LookupPlan in JSON.
 * @module
 */

import type { Source } from '../../src/providers/unix/database.js';
import { openSource } from '../../src/providers/unix/source.js';
import { createLogger } from '../../src/support/log.js';

export interface LookupPlan {
  readonly source: Source;
  /** Accounts, and how long each has: milliseconds, or until those with a number are done. */
  readonly accounts: readonly { readonly account: string; readonly timeout: number | 'others' }[];
}

const plan: LookupPlan = JSON.parse(process.argv[2] ?? '');
const logged: string[] = [];
const log = createLogger((_, message) => logged.push(message));
const database = openSource(plan.source, { log, resident: true });

async function look(account: string, deadline: AbortSignal): Promise<void> {
  const result = await database.lookup(account, deadline).then(
    (groups) => ({ groups: groups ?? null }),
    (error: Error) => ({ error: error.message }),
  );
  process.stdout.write(`${JSON.stringify({ account, ...result })}\n`);
}

async function run(): Promise<void> {
  const others = new AbortController();
  const reason = new Error('no time left');
  const patient: Promise<void>[] = [];
  const timed = plan.accounts.map(async ({ account, timeout }) => {
    if (timeout === 'others') {
      patient.push(look(account, others.signal));
      return;
    }
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(reason), timeout);
    await look(account, deadline.signal);
    clearTimeout(timer);
  });
  await Promise.all(timed);
  others.abort(reason);
  await Promise.all(patient);
  // What hangs must not keep the process from ending, so nothing is closed here.
  process.stdout.write(`${JSON.stringify({ logged })}\n`);
}

void run();
