import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parseOptions } from '../../src/config/options.js';
import type { GroupProvider, LoginUser } from '../../src/providers/provider.js';
import unix from '../../src/providers/unix/definition.js';
import { startProgress } from '../support/progress.js';
import { COLD, GROUPS_PROGRAM, ID_PROGRAM, READ, USER, USERID, WARM } from './groups-names.js';
import { alternate, type Contestant, concurrently, inBatches, timed } from './measure.js';
import { timeProcess } from './processes.js';

/** The half of the groups benchmark that runs where /etc/passwd and /etc/group are the generated ones. Prints what it measured. */

const short = process.argv[2] === 'short';
const user: LoginUser = { name: USER, account: USER, fields: new Map() };
const signal = new AbortController().signal;
const silent = { debug() {}, info() {}, warning() {}, error() {} };

function openUnix(): GroupProvider {
  const options = parseOptions(unix.options, { source: 'files' }, 'bench');
  return unix.create(options, { log: silent, directory: '/' });
}

async function openAndAsk(): Promise<void> {
  const provider = openUnix();
  await provider.groups(user, signal);
  await provider.close?.();
}

/** The least that anybody does who looks at every account and every group. */
function readAndSplit(): number {
  const rows = (file: string): string[][] =>
    readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => line.split(':'));
  return rows('/etc/passwd').length + rows('/etc/group').length;
}

/** userid 1.2.5, as far as it is used here. */
interface Userid {
  gids(user: string): readonly number[];
  groupname(gid: number): string;
}

function loadUserid(): Userid | undefined {
  try {
    return createRequire(import.meta.url)('userid') as Userid;
  } catch {
    // An optional dependency: its install script may not have been allowed to run.
    return undefined;
  }
}

const program = (file: string, args: readonly string[]) => () => timeProcess({ file, args, env: { PATH: '/usr/bin:/bin' } });
const warm = openUnix();
const userid = loadUserid();

const contestants: readonly Contestant[] = [
  { name: GROUPS_PROGRAM, round: () => concurrently(3, 1, program('groups', [USER])) },
  { name: ID_PROGRAM, round: () => concurrently(3, 1, program('id', ['-Gnz', USER])) },
  ...(userid === undefined
    ? []
    : [
        {
          name: USERID,
          round: () =>
            concurrently(
              3,
              1,
              timed(() => userid.gids(USER).map((gid) => userid.groupname(gid))),
            ),
        },
      ]),
  { name: READ, round: () => concurrently(5, 1, timed(readAndSplit)) },
  { name: COLD, round: () => concurrently(5, 1, timed(openAndAsk)) },
  { name: WARM, round: () => inBatches(20, 500, () => warm.groups(user, signal)) },
];
const rounds = short ? 1 : 20;
const bar = startProgress('groups', contestants.length * (rounds + 1));
const measured = await alternate(contestants, { rounds, warmUp: 1, onRound: () => bar.step() });
bar.end();
process.stdout.write(JSON.stringify(measured));
