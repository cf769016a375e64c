import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { publishText } from '../bench/figures.js';
import { describeMachine } from '../bench/report.js';
import { VERSIONS } from '../support/dovecot.js';
import { installPackage } from '../support/installed.js';
import { startProgress } from '../support/progress.js';
import { PROJECT } from '../support/project.js';
import { soakAnswers } from './answers.js';
import { soakLogins } from './logins.js';
import type { SoakResult } from './soak.js';

const HELP = `Usage: npm run soak -- [--answers count] [--logins count] [--dovecot version] [--rate count] [--seed number]

Asks an installed package, many at once, while accounts, a group file and a directory change all the time and faults come by lot, several at
a time. Each answer is held against a model of the contract. Ends with one table; exit status 1 when an answer was wrong, or denied without
a fault to show for it. Ctrl-C ends it early, with the table. Needs root on Debian, and the package faketime for a clock that is set.

  --answers count   so many by both doors and by exec mode (default: 20000, unless there is --logins)
  --logins count    so many real IMAP logins at each Dovecot
  --dovecot version one Dovecot only: ${VERSIONS.join(' or ')}
  --rate count      questions a second at most (default: 1000, and 200 logins)
  --seed number     for the same lots (default: others each time)
  --manual          writes the table into the manual's page of figures as well
`;

/** Exit status 1 when something was found. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      answers: { type: 'string' },
      logins: { type: 'string' },
      dovecot: { type: 'string' },
      rate: { type: 'string' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
      manual: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const { manual } = values;
  const seed = count('seed', values.seed);
  const logins = values.logins === undefined ? 0 : count('logins', values.logins);
  const answers = values.answers === undefined ? (logins > 0 ? 0 : 20_000) : count('answers', values.answers);
  const rate = values.rate === undefined ? undefined : count('rate', values.rate);
  const versions = VERSIONS.filter((version) => values.dovecot === undefined || values.dovecot === version);
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => ending.abort());
  const { signal } = ending;
  const { package: installed, remove } = await installPackage();
  try {
    let status = 0;
    if (answers > 0)
      status = await soakOne({ name: 'soak-answers', title: 'answers', total: answers, seed, manual }, (onAnswers) =>
        soakAnswers(installed['2.3'], { seed, answers, rate: rate ?? 1000, onAnswers, signal }),
      );
    for (const version of logins > 0 && !signal.aborted ? versions : []) {
      const one = await soakOne(
        { name: `soak-logins-${version}`, title: `logins at Dovecot ${version}`, total: logins, seed, manual },
        (onAnswers) => soakLogins(installed[version], version, { seed, answers: logins, rate: rate ?? 200, onAnswers, signal }),
      );
      status = Math.max(status, one);
    }
    return status;
  } finally {
    await remove();
  }
}

interface Plan {
  /** Its place in the manual. */
  readonly name: string;
  readonly title: string;
  /** How many answers it is to end with. */
  readonly total: number;
  readonly seed: number;
  readonly manual: boolean;
}

/** Runs one with a progress bar and prints what came of it; the exit status. */
async function soakOne(
  { name, title, total, seed, manual }: Plan,
  run: (onAnswers: (more: number) => void) => Promise<SoakResult>,
): Promise<number> {
  const machine = describeMachine();
  const bar = startProgress(title, STEPS);
  let done = 0;
  let shown = 0;
  const { table, problems, failed } = await run((more) => {
    done += more;
    for (; shown < Math.floor((done / total) * STEPS); shown++) bar.step();
  }).finally(() => bar.end());
  process.stdout.write(`${title}, seed ${seed}\n\n${table}\n`);
  for (const problem of problems) process.stdout.write(`${problem}\n\n`);
  if (manual) publishText(MANUAL, name, machine, `\`\`\`\n${table}\`\`\`\n`);
  return failed ? 1 : 0;
}

const MANUAL = join(PROJECT, 'src/package/manual');

/** Of the progress bar. */
const STEPS = 1000;

function count(option: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`--${option}: expected a number, found "${text}"`);
  return Number(text);
}

process.exit(await main());
