import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { formatTable, PLAIN } from '../../src/terminal/table.js';
import { startProgress } from '../support/progress.js';
import { inAscii, readCorpus, writeCorpus } from './corpus.js';
import { type Fuzzed, fuzz } from './fuzzer.js';
import { TARGETS } from './targets.js';

/*
 * What guides: V8's own block coverage. Each batch that runs code which had never run gives one input to a corpus, which the next inputs are
 * made of by changes. (jazzer.js, libFuzzer for Node.js, comes with programs for glibc 2.38 and newer; Debian 12 has 2.36.) The table's last
 * columns say what that moves: characters of the program's code that the target's own inputs reach, and that guided ones reach beyond.
 */

const HELP = `Usage: npm run fuzz -- [--inputs number] [--seed number] [--keep] [target...]

Gives whatever reads input from outside many inputs, and holds what it makes of them against a second reading, or against what has to hold.
A quarter of them are by the grammar, the rest are changes to such ones and to what is kept. Prints what is read wrongly, made as small as it can be.
Targets: ${TARGETS.map(({ name }) => `"${name}"`).join(', ')}; all of them if none is given.

  --inputs number  how many, of all targets together (default: 100000)
  --seed number    for the same ones again (default: others each time)
  --keep           adds inputs that reached new code to test/fuzz/corpus
`;

/** How many inputs are kept of a target: those that are in the repository are to be read by people. */
const MOST_KEPT = 60;

/** Exit status 1 when an input is read wrongly. */
function main(): number {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      inputs: { type: 'string', default: '100000' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (!/^[1-9]\d{0,9}$/.test(values.inputs)) throw new Error(`--inputs: expected a number of at least 1, found "${values.inputs}"`);
  if (!/^\d{1,10}$/.test(values.seed)) throw new Error(`--seed: expected a number, found "${values.seed}"`);
  const unknown = positionals.find((name) => !TARGETS.some((target) => target.name === name));
  if (unknown !== undefined) throw new Error(`no target "${unknown}"; there are ${TARGETS.map(({ name }) => name).join(', ')}`);
  const targets = TARGETS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const count = Math.ceil(Number(values.inputs) / targets.length);
  // This file is a bundle below .cache.
  const directory = fileURLToPath(new URL('../../test/fuzz/corpus', import.meta.url));
  const rows: (readonly string[])[] = [];
  let failed = 0;
  for (const target of targets) {
    const corpus = readCorpus(directory, target.name);
    let reported = 0;
    let step = 0;
    const bar = startProgress(`fuzz: ${target.name}`, 100);
    const onInputs = (inputs: number): void => {
      for (reported += inputs; step < Math.floor((reported * 100) / count); step++) bar.step();
    };
    const result = fuzz(target, { count, seed: Number(values.seed), corpus, guidedBy: '/program', onInputs });
    bar.end();
    rows.push(rowOf(target.name, result));
    // A run of millions is watched in a file.
    if (!process.stderr.isTTY) process.stderr.write(`${rows.length} of ${targets.length}: ${target.name}, ${result.inputs} inputs\n`);
    if (values.keep && result.found.length > 0) writeCorpus(directory, target.name, [...corpus, ...result.found], MOST_KEPT);
    if (result.finding === undefined) continue;
    failed++;
    const { input, error } = result.finding;
    const why = error instanceof Error ? error.message : String(error);
    process.stdout.write(`${target.name}: read wrongly (seed ${values.seed}, input ${result.inputs}): ${inAscii(input)}\n${why}\n\n`);
  }
  const header = ['', 'inputs', 'a second', 'slowest', 'new in the corpus', 'code reached by the grammar', 'guided', 'wrong'];
  process.stdout.write(formatTable([header, ...rows], PLAIN));
  process.stdout.write(`seed ${values.seed}; ${join('test', 'fuzz', 'corpus')} ${values.keep ? 'has what is new' : 'is as it was'}\n`);
  return failed > 0 ? 1 : 0;
}

function rowOf(name: string, { inputs, elapsed, slowest, found, covered: [own, end], finding }: Fuzzed): readonly string[] {
  const whole = (value: number): string => Math.round(value).toLocaleString('en-US');
  const more = own === 0 ? '' : `+ ${((end / own - 1) * 100).toFixed(1)} %`;
  const wrong = finding === undefined ? '0' : '1';
  return [name, whole(inputs), whole((inputs * 1000) / elapsed), `${slowest.toFixed(1)} ms`, whole(found.length), whole(own), more, wrong];
}

process.exit(main());
