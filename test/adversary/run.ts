import { parseArgs } from 'node:util';
import { startProgress } from '../support/progress.js';
import { runHistories } from './histories.js';

const HELP = `Usage: npm run adversary -- [--runs count] [--seed number]

Makes up worlds (sources, configurations, userdb fields) and what happens in them (changes, faults, time, logins in any order), and holds
each answer against a model of the contract that shares no code with the program. Prints the shortest history that breaks it.

  --runs count    how many histories, of up to 40 steps each (default: 20000)
  --seed number   for the same ones again (default: others each time)
`;

/** Histories that are made of one seed at a time: fast-check keeps all of a run. */
const BATCH = 1000;

/** Exit status 1 when an answer is wrong. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '20000' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (!/^[1-9]\d{0,8}$/.test(values.runs)) throw new Error(`--runs: expected a number of at least 1, found "${values.runs}"`);
  const runs = Number(values.runs);
  const batches = Math.ceil(runs / BATCH);
  const bar = startProgress('adversary', batches);
  const started = Date.now();
  let steps = 0;
  try {
    for (let batch = 0; batch < batches; batch++) {
      const seed = Number(values.seed) + batch;
      try {
        await runHistories(Math.min(BATCH, runs - batch * BATCH), seed, () => steps++);
      } catch (error) {
        bar.end();
        const message =
          error instanceof Error ? `${error.message}\n${error.cause instanceof Error ? error.cause.message : ''}` : String(error);
        process.stdout.write(`seed ${seed} (--runs ${BATCH} --seed ${seed} gives the same histories), after ${steps} steps:\n${message}\n`);
        return 1;
      }
      bar.step();
    }
  } finally {
    bar.end();
  }
  const seconds = Math.round((Date.now() - started) / 1000);
  process.stdout.write(`${runs} histories, ${steps} steps in ${seconds} s, seed ${values.seed}: nothing found\n`);
  return 0;
}

process.exit(await main());
