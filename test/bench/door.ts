import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BASE_LDIF, PASSWORD, READER_DN, startSlapd } from '../support/slapd.js';
import { type BenchContext, NotPossible } from './benchmark.js';
import { doorReply } from './door-reply.js';
import { type LdapConnection, openLdap, type Searches, searchesFor } from './ldap-wire.js';
import { alternate, type Contestant } from './measure.js';
import { type Table, tabulate } from './report.js';
import { groupsOf, type SocketServer, startEcho, startService, USERS, watchProcessor } from './servers.js';

const SLAPD = 'slapd';
const HITS = 'userdb door, cache hits';
const PASTED = "userdb door, hits, Dovecot's filter";
const MISSES = 'userdb door, every search a lookup';
const ECHO = 'Node echo server';

/** How many times slapd's rate is expected of hits, by the number of searches in flight. Dovecot has one at a time, and eight at most. */
const EXPECTED: ReadonlyMap<number, number> = new Map([
  [1, 1.5],
  [8, 3],
  [64, 3],
]);

const NOTE = `one connection to a UNIX socket; ${USERS.length.toLocaleString('en-US')} users with five groups each, searched by (uid=...); slapd has an entry with an indexed uid for each`;

/** The userdb door at its socket, beside OpenLDAP's slapd answering the same searches. */
export async function* door({ short, scratch, installed, progress }: BenchContext): AsyncGenerator<Table> {
  if (!existsSync('/usr/sbin/slapd')) throw new NotPossible("slapd is missing; install Debian's package slapd");
  const command = await installed();
  const rounds = short ? 1 : 15;
  const bar = progress('door', EXPECTED.size * 5 * (rounds + 1));
  const ends: (() => unknown)[] = [() => bar.end()];
  const started = async <T>(server: T, end: () => unknown): Promise<T> => {
    ends.unshift(end);
    return server;
  };
  const open = async (...to: Parameters<typeof openLdap>): Promise<LdapConnection> => {
    const connection = await openLdap(...to);
    return started(connection, () => connection.close());
  };
  try {
    const slapd = await startSlapd({ ldif: BASE_LDIF + USERS.map(entryOf).join(''), quiet: true });
    await started(slapd, () => slapd.remove());
    const slapdServer = { pid: Number(readFileSync(join(slapd.directory, 'pid'), 'latin1')) };
    const echo = await startEcho(scratch);
    await started(echo, () => echo.stop());
    const cached = await startService(command, scratch, { name: 'hits' });
    await started(cached, () => cached.stop());
    const asking = await startService(command, scratch, { name: 'misses', cache: 'ttl = "0s"\nstale_ttl = "0s"\n' });
    await started(asking, () => asking.stop());

    const ours = (assertions: readonly string[]): Searches =>
      searchesFor(searched, { base: 'dc=acl-groups', assertions, attribute: 'aclGroups' });
    const theirs = searchesFor(searched, { base: 'ou=people,dc=example,dc=test', assertions: ['uid'], attribute: 'description' });
    const toSlapd = await open(join(slapd.directory, 'ldapi'), { dn: READER_DN, password: PASSWORD });
    const toService = await open(cached.path);
    const toAsking = await open(asking.path);
    const toEcho = await open(echo.path, { echo: true });
    // Every answer is kept before the clock runs, and V8 has seen what a process that stays has seen after its first minutes.
    for (let time = short ? 0 : WARM_UP_ROUNDS; time >= 0; time--) await toService.search(ours(['uid', 'account']), 8);

    for (const [atOnce, times] of EXPECTED) {
      const count = short ? 500 : atOnce === 1 ? 4000 : searched.length;
      const contestant = (name: string, connection: LdapConnection, searches: Searches): Contestant => ({
        name,
        round: () => connection.search(searches.slice(0, count), atOnce),
      });
      const watched: [Contestant, Pick<SocketServer, 'pid'>][] = [
        [contestant(SLAPD, toSlapd, theirs), slapdServer],
        [contestant(HITS, toService, ours(['uid'])), cached],
        [contestant(PASTED, toService, ours(['uid', 'account'])), cached],
        [contestant(MISSES, toAsking, ours(['uid'])), asking],
        [contestant(ECHO, toEcho, ours(['uid'])), echo],
      ];
      const contestants = watched.map(([one, server]) => watchProcessor(one, server));
      const measured = await alternate(
        contestants.map((one) => one.contestant),
        { rounds, warmUp: 1, onRound: () => bar.step() },
      );
      yield tabulate(`door: ${atOnce} ${atOnce === 1 ? 'search' : 'searches'} in flight`, measured, {
        rival: SLAPD,
        note: NOTE,
        expectations: [{ contestant: HITS, rival: SLAPD, figure: 'rate', expected: { atLeast: times } }],
        figures: Object.fromEntries(contestants.map((one) => [one.contestant.name, one.figures()])),
      });
    }
    yield await doorReply(short);
  } finally {
    for (const end of ends) await end();
  }
}

const WARM_UP_ROUNDS = 10;

/** The users in an order that no cache could like, each ten times. */
const searched: readonly string[] = Array.from({ length: 10 * USERS.length }, (_, index) => USERS[(index * 7919) % USERS.length] ?? '');

/** A user's entry with the value that the service answers with. */
function entryOf(user: string): string {
  const lines = [`dn: uid=${user},ou=people,dc=example,dc=test`, 'objectClass: account', `uid: ${user}`];
  return `${[...lines, `description: ${groupsOf(user).join(',')}`].join('\n')}\n\n`;
}
