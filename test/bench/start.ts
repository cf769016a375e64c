import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchContext } from './benchmark.js';
import { alternate, concurrently } from './measure.js';
import { timeProcess } from './processes.js';
import { type Table, tabulate } from './report.js';
import { ask, requestOf, type SocketServer, startEcho, startService } from './servers.js';

const EMPTY = 'an empty CommonJS file, start to end';
const ECHO = 'bare Node.js server, first answer';
const SERVICE = 'acl-groups serve, first answer';

/** How long logins wait for a service that has to be started: after a crash, a reload, or by systemd at the first login. */
export async function* start({ short, scratch, installed, progress }: BenchContext): AsyncGenerator<Table> {
  const command = await installed();
  const empty = join(scratch, 'empty.cjs');
  writeFileSync(empty, '');
  /** From the start of a process to its first answer; its end is not in it. */
  const firstAnswer = async (open: () => Promise<SocketServer>): Promise<number> => {
    const started = performance.now();
    const server = await open();
    await ask(server.path, requestOf(0));
    const elapsed = performance.now() - started;
    await server.stop();
    return elapsed;
  };
  const contestants = [
    { name: EMPTY, once: () => timeProcess({ file: process.execPath, args: [empty], env: {} }) },
    { name: ECHO, once: () => firstAnswer(() => startEcho(scratch)) },
    { name: SERVICE, once: () => firstAnswer(() => startService(command, scratch, { name: 'start' })) },
  ];
  const rounds = short ? 2 : 100;
  const bar = progress('start', contestants.length * (rounds + 1));
  const measured = await alternate(
    contestants.map(({ name, once }) => ({ name, round: () => concurrently(1, 1, once) })),
    { rounds, warmUp: 1, lot: Math.random, onRound: () => bar.step() },
  );
  bar.end();
  yield tabulate('start: until the first answer', measured, {
    rival: EMPTY,
    note: 'one after the other; the service has a group file of 1,000 groups to read first',
    expectations: [{ contestant: SERVICE, rival: EMPTY, figure: 'p50', expected: { atMost: 1.3 } }],
    single: true,
  });
}
