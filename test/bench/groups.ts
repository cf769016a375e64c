import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runWithAccounts } from './accounts-namespace.js';
import type { BenchContext } from './benchmark.js';
import { COLD, GROUPS_PROGRAM, READ, USER, WARM } from './groups-names.js';
import type { Measured } from './measure.js';
import { type Table, tabulate } from './report.js';

const PEOPLE = 1000;

/** The groups of one user, from generated account files: ours against everybody else who reads them. */
export async function* groups({ short, scratch }: BenchContext): AsyncGenerator<Table> {
  for (const { member, total } of [
    { member: 5, total: 50 },
    { member: 200, total: 20_000 },
  ]) {
    const directory = join(scratch, `accounts-${total}`);
    mkdirSync(directory);
    writeAccounts(directory, member, total);
    yield tabulate(`groups: one user in ${member} of ${total.toLocaleString('en-US')} groups`, await measureInside(directory, short), {
      rival: GROUPS_PROGRAM,
      note: `${PEOPLE} accounts; the two programs are whole processes, the others calls within one`,
      expectations: [
        { contestant: GROUPS_PROGRAM, rival: WARM, figure: 'p50', expected: { atLeast: 1000 } },
        { contestant: COLD, rival: READ, figure: 'p50', expected: { atMost: 1.25 } },
      ],
    });
  }
}

/** Account files in which USER is in every so many-th group, the last one among them, and others are everywhere. */
function writeAccounts(directory: string, member: number, total: number): void {
  const people = Array.from({ length: PEOPLE }, (_, index) => `person${index}`);
  const accounts = [
    'root:x:0:0:root:/root:/bin/sh',
    ...people.map((name, index) => `${name}:x:${2000 + index}:100::/home/${name}:/bin/sh`),
  ];
  accounts.push(`${USER}:x:1999:100:The one:/home/${USER}:/bin/sh`);
  const step = total / member;
  const groups = Array.from({ length: total }, (_, index) => {
    const members = [0, 1, 2].map((offset) => people[(index * 7 + offset * 131) % PEOPLE]);
    if (index % step === step - 1) members.push(USER);
    return `group${index}:x:${10_000 + index}:${members.join(',')}`;
  });
  const write = (file: string, lines: readonly string[]): void => writeFileSync(join(directory, file), `${lines.join('\n')}\n`);
  write('passwd', accounts);
  write('group', ['root:x:0:', 'users:x:100:', ...groups]);
  write('nsswitch.conf', ['passwd: files', 'group: files', 'initgroups: files']);
}

/** Measures in a process that sees the generated files in /etc. */
async function measureInside(directory: string, short: boolean): Promise<readonly Measured[]> {
  const inside = fileURLToPath(new URL('groups-inside.js', import.meta.url));
  return JSON.parse(await runWithAccounts(directory, [process.execPath, inside, short ? 'short' : 'full'])) as readonly Measured[];
}
