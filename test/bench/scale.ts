import type { BenchContext } from './benchmark.js';
import { concurrently, type Summary, summarize } from './measure.js';
import { isMet, type Row, type Table, type Verdict } from './report.js';
import { ask, requestOf, residentMemory, type SocketServer, startService } from './servers.js';

const AT_ONCE = 8;
const MOST_MEMORY = 120e6;
/** What "flat" means: no figure is more than this many times what it was. */
const FLAT = 1.1;

/** How the service bears many users and many logins: its memory, and the time of an answer from the cache. */
export async function scale({ short, scratch, installed, progress }: BenchContext): Promise<readonly Table[]> {
  const sizes = short ? [100, 1000] : [1000, 10_000, 100_000];
  const most = sizes.at(-1) ?? 0;
  const total = short ? 5000 : 1_000_000;
  const measuring = short ? 500 : 50_000;
  const bar = progress('scale', sizes.length * 2 + 2);
  const rows: Row[] = [];
  const command = await installed();

  const look = async (contestant: string, server: SocketServer, users: number): Promise<void> => {
    // A large odd stride visits all users in no order that a cache could like.
    const figures = await asking(server, measuring, (index) => (index * 7919) % users);
    rows.push({ contestant, ...figures, figures: [{ label: 'memory', value: residentMemory(server.pid), unit: 'bytes' }] });
    bar.step();
  };
  try {
    for (const users of sizes) {
      const server = await startService(command, scratch);
      try {
        await asking(server, users, (index) => index);
        bar.step();
        await look(`${users.toLocaleString('en-US')} cached users`, server, users);
        if (users !== most) continue;
        await asking(server, total - users - 2 * measuring, (index) => (index * 7919) % users);
        bar.step();
        await look(`after ${total.toLocaleString('en-US')} requests`, server, users);
      } finally {
        await server.stop();
      }
    }
  } finally {
    bar.end();
  }
  return [{ title: `scale: the service with many users, ${AT_ONCE} connections at a time`, note: NOTE, rows, verdicts: judge(rows) }];
}

const NOTE = 'memory is the resident set; users have five groups each; all answers are cache hits';

async function asking(server: SocketServer, count: number, user: (index: number) => number): Promise<Summary> {
  return summarize({ name: '', samples: [await concurrently(count, AT_ONCE, (index) => ask(server.path, requestOf(user(index))))] });
}

function judge(rows: readonly Row[]): readonly Verdict[] {
  const [before, after] = rows.slice(-2);
  const memory = (row: Row | undefined): number => row?.figures?.[0]?.value ?? Number.NaN;
  const verdict = (what: string, value: number, unit: Verdict['unit'], atMost: number): Verdict => {
    return { what, value, unit, expected: { atMost }, met: isMet(value, { atMost }) };
  };
  return [
    verdict(`memory with ${before?.contestant}`, memory(before), 'bytes', MOST_MEMORY),
    verdict(`memory ${after?.contestant} / before`, memory(after) / memory(before), 'ratio', FLAT),
    verdict(`p99 ${after?.contestant} / before`, (after?.p99 ?? Number.NaN) / (before?.p99 ?? Number.NaN), 'ratio', FLAT),
  ];
}
