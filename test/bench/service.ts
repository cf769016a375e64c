import type { BenchContext } from './benchmark.js';
import { alternate, concurrently } from './measure.js';
import { type Table, tabulate } from './report.js';
import { ask, requestOf, startEcho, startService, USERS, watchProcessor } from './servers.js';

const ECHO = 'Node echo server';
const HITS = 'serve, cache hits';
const MISSES = 'serve, cache misses';

/** The service at its socket, against a bare Node server behind the same kind of socket. */
export async function* service({ short, scratch, installed, progress }: BenchContext): AsyncGenerator<Table> {
  const rounds = short ? 1 : 15;
  const concurrencies = [1, 64, 512];
  const echo = await startEcho(scratch);
  const serve = await startService(await installed(), scratch, { name: 'hits' });
  const asking = await startService(await installed(), scratch, { name: 'misses', cache: 'ttl = "0s"\nstale_ttl = "0s"\n' });
  const bar = progress('service', concurrencies.length * 3 * (rounds + 1));
  try {
    const request = (index: number): string => requestOf(index % USERS.length);
    for (const atOnce of concurrencies) {
      const count = short ? 600 : atOnce === 1 ? 2000 : 6000;
      const contestants = [
        watchProcessor({ name: ECHO, round: () => concurrently(count, atOnce, (index) => ask(echo.path, request(index))) }, echo),
        watchProcessor({ name: HITS, round: () => concurrently(count, atOnce, (index) => ask(serve.path, request(index))) }, serve),
        watchProcessor({ name: MISSES, round: () => concurrently(count, atOnce, (index) => ask(asking.path, request(index))) }, asking),
      ];
      const measured = await alternate(
        contestants.map(({ contestant }) => contestant),
        { rounds, warmUp: 1, onRound: () => bar.step() },
      );
      yield tabulate(`service: ${atOnce} ${atOnce === 1 ? 'connection' : 'connections'} at a time`, measured, {
        rival: ECHO,
        note: 'each request is a connection of its own, as it is from Dovecot; the client is one Node process',
        expectations: [
          { contestant: HITS, rival: ECHO, figure: 'rate', expected: { atLeast: 0.85 } },
          { contestant: MISSES, rival: ECHO, figure: 'rate', expected: { atLeast: 0.75 } },
        ],
        figures: Object.fromEntries(contestants.map(({ contestant, figures }) => [contestant.name, figures()])),
      });
    }
  } finally {
    bar.end();
    await Promise.all([echo.stop(), serve.stop(), asking.stop()]);
  }
}
