import { mkdtempSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { BenchContext } from './benchmark.js';
import { alternate, concurrently } from './measure.js';
import { type Command, peakMemory, timeProcess } from './processes.js';
import { type Figure, type Table, tabulate } from './report.js';
import { writeShellExample } from './shell-example.js';

const NODE = 'node -e 0';
const EMPTY = 'an empty CommonJS file, no environment';
const EXEC = 'acl-groups true';
const CACHE = 'acl-groups true, answer in --cache-dir';
const SHELL = 'shell example, true';

/** The whole process of exec mode, from start to the end of the program that it execs. */
export async function* exec({ short, scratch, installed, progress }: BenchContext): AsyncGenerator<Table> {
  const user = userInfo().username;
  // What script-login sets, and no PATH.
  const env = { USER: user, HOME: '/tmp', IP: '127.0.0.1', LOCAL_IP: '127.0.0.1', USERDB_KEYS: 'HOME ' };
  const config = join(scratch, 'exec.toml');
  writeFileSync(config, '[cache]\nttl = "24h"\n', { mode: 0o600 });
  const cache = mkdtempSync(join(scratch, 'cache-'));
  const empty = join(scratch, 'empty.cjs');
  writeFileSync(empty, '');
  const commands: Readonly<Record<string, Command>> = {
    [NODE]: { file: process.execPath, args: ['-e', '0'], env },
    [EMPTY]: { file: process.execPath, args: [empty], env: {} },
    [EXEC]: { file: await installed(), args: ['/bin/true'], env },
    [CACHE]: { file: await installed(), args: ['--config', config, '--cache-dir', cache, '/bin/true'], env },
    [SHELL]: { file: writeShellExample(join(scratch, 'groups.sh')), args: ['/bin/true'], env },
  };
  const rounds = short ? 1 : 40;
  const bar = progress('exec', Object.keys(commands).length * (rounds + 1));
  const measured = await alternate(
    Object.entries(commands).map(([name, command]) => ({
      name,
      round: () => concurrently(short ? 2 : 10, 1, () => timeProcess(command)),
    })),
    { rounds, warmUp: 1, onRound: () => bar.step() },
  );
  const figures: Record<string, readonly Figure[]> = {};
  for (const [name, command] of Object.entries(commands)) {
    figures[name] = [{ label: 'peak memory', value: await peakMemory(command, scratch), unit: 'bytes' }];
  }
  bar.end();
  yield tabulate('exec: a whole process', measured, {
    rival: EMPTY,
    note: `one after the other; the groups of ${user} on this machine; memory is the largest process's`,
    expectations: [
      { contestant: EXEC, rival: EMPTY, figure: 'p50', expected: { atMost: 1.4 } },
      { contestant: CACHE, rival: SHELL, figure: 'p50', expected: { atMost: 0.7 } },
    ],
    figures,
  });
}
