import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readMonitor } from '../../src/service/userdb-client.js';
import { BASE_LDIF, startSlapd } from '../support/slapd.js';
import type { BenchContext } from './benchmark.js';
import { drawBars } from './chart.js';
import { searchesFor } from './ldap-wire.js';
import { summarize } from './measure.js';
import { type AuthClient, openAuthClient } from './open-loop.js';
import type { Row, Table } from './report.js';
import { ldapProvider, processorTime, type SocketServer, startService } from './servers.js';

/*
 * The hour in which a million users come to work, a hundred times smaller and a hundred times shorter: ten thousand users in 36 seconds are as
 * many logins a second as a million in an hour. Times that are configured are a hundredth of theirs too. Each of four backends has a
 * service of its own and its own users, as behind Dovecot's director; all ask one slapd. Dovecot itself isn't there: its auth process is
 * a client that sends eight searches ahead, and its auth cache a table of who has been asked for.
 */

const SCALE = 100;
const USERS = 1_000_000 / SCALE;
/** In milliseconds. */
const HOUR = 3_600_000 / SCALE;
const BACKENDS = 4;
/** A client opens some connections at once, and again later. */
const AT_ONCE = 3;
const LATER = 2;
/** Within how long connections at once come, in milliseconds. */
const TOGETHER = 2000 / SCALE;

interface Variant {
  readonly name: string;
  /** Milliseconds of the real hour. */
  readonly ttl: number;
  /** Dovecot's auth_cache_ttl, in milliseconds of the real hour; 0 without an auth cache. */
  readonly authCache: number;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const VARIANTS: readonly Variant[] = [
  { name: 'ttl = "0s"', ttl: 0, authCache: 0 },
  { name: 'ttl = "30s"', ttl: 30 * SECOND, authCache: 0 },
  { name: 'ttl = "5m"', ttl: 5 * MINUTE, authCache: 0 },
  { name: 'ttl = "1h"', ttl: 60 * MINUTE, authCache: 0 },
  { name: 'ttl = "30s", auth cache of 1h', ttl: 30 * SECOND, authCache: 60 * MINUTE },
];

/** A login at some time of the hour, in milliseconds. */
interface Login {
  readonly user: number;
  readonly at: number;
}

/** The morning hour of a million users: what it asks of one directory, with and without caches. */
export async function* morning({ short, scratch, output, installed, progress }: BenchContext): AsyncGenerator<Table> {
  const users = short ? USERS / 20 : USERS;
  const hour = short ? HOUR / 20 : HOUR;
  const logins = loginsOf(users, hour);
  const command = await installed();
  const slapd = await startSlapd({ ldif: directoryOf(users), rfc2307bis: true, quiet: true });
  const bar = progress('morning', VARIANTS.length);
  const rows: Row[] = [];
  try {
    for (const variant of VARIANTS) {
      const start = (backend: number): Promise<SocketServer> => {
        const cache = `ttl = "${variant.ttl / SCALE}ms"\nstale_ttl = "0s"\n`;
        return startService(command, scratch, { name: `morning-${backend}`, cache, providers: ldapProvider(slapd) });
      };
      const services = await Promise.all(Array.from({ length: BACKENDS }, (_, backend) => start(backend)));
      try {
        rows.push(await playHour(variant, hour, logins, services, Number(readFileSync(join(slapd.directory, 'pid'), 'latin1'))));
      } finally {
        await Promise.all(services.map((service) => service.stop()));
      }
      bar.step();
    }
  } finally {
    bar.end();
    await slapd.remove();
  }
  const seconds = hour / 1000;
  yield {
    title: 'morning: 1,000,000 users in an hour, 4 backends, one slapd',
    note: `simulated: ${users.toLocaleString('en-US')} users in ${seconds} s, times of caches shortened as much; each user opens ${AT_ONCE} connections at once and ${LATER} later, ${Math.round(logins.length / seconds).toLocaleString('en-US')} logins a second; all of it on one machine; times are those of logins that reach a service`,
    rows,
    verdicts: [],
  };
  const shown = (pick: (row: Row) => number | undefined): Table => ({
    title: '',
    verdicts: [],
    rows: rows.map((row) => ({ contestant: row.contestant, rate: pick(row) ?? Number.NaN })),
  });
  const figure = (row: Row, label: string): number | undefined => row.figures?.find((one) => one.label === label)?.value;
  await drawBars(join(output, 'morning.svg'), [
    { title: 'lookups a second at the directory', figure: 'rate', tables: { '1,000,000 users': shown((row) => figure(row, LOOKUPS)) } },
    {
      title: 'users per processor of the directory, in millions',
      figure: 'rate',
      tables: { 'in an hour': shown((row) => figure(row, SERVED)) },
    },
  ]);
}

const LOOKUPS = 'lookups a second';
const SERVED = 'million users per slapd processor';

async function playHour(
  variant: Variant,
  hour: number,
  logins: readonly Login[],
  services: readonly SocketServer[],
  slapd: number,
): Promise<Row> {
  const clients = await Promise.all(services.map(({ path }) => openAuthClient(path)));
  const latencies: number[] = [];
  const asked = new Map<number, number>();
  const before = processorTime(slapd);
  const begun = performance.now();
  const pending: Promise<void>[] = [];
  for (const { user, at } of logins) {
    const wait = begun + at - performance.now();
    // Timers are late by a millisecond at times: what is due by now goes out at once, and its time runs from when it was due.
    if (wait > 1) await sleep(wait);
    const last = asked.get(user);
    if (variant.authCache > 0 && last !== undefined && at - last < variant.authCache / SCALE) continue;
    asked.set(user, at);
    const due = Math.max(0, performance.now() - begun - at);
    const client = clients[user % clients.length];
    if (client !== undefined) pending.push(login(client, user).then((elapsed) => void latencies.push(elapsed + due)));
  }
  await Promise.all(pending);
  const elapsed = performance.now() - begun;
  const used = processorTime(slapd) - before;
  for (const client of clients) client.close();
  const monitors = await Promise.all(services.map(({ path }) => readMonitor(path)));
  const lookups = monitors.reduce((sum, monitor) => sum + Number(monitor.lookups), 0);
  const { p50, p99 } = summarize({ name: '', samples: [{ latencies, elapsed }] });
  return {
    contestant: variant.name,
    p50,
    p99,
    rate: (latencies.length * 1000) / elapsed,
    count: latencies.length,
    figures: [
      { label: LOOKUPS, value: (lookups * 1000) / elapsed, unit: '' },
      { label: 'slapd busy', value: (used / elapsed) * 100, unit: '%' },
      { label: SERVED, value: hour / used, unit: '' },
      { label: 'such backends', value: (BACKENDS * hour) / used, unit: '' },
    ],
  };
}

const login = (client: AuthClient, user: number): Promise<number> => {
  const [search = Buffer.alloc(0)] = searchesFor([`user${user}`], { base: 'dc=acl-groups', assertions: ['uid'], attribute: 'aclGroups' });
  return client.search(search);
};

/** When everybody logs in, in order: the same for each variant. */
function loginsOf(users: number, hour: number): readonly Login[] {
  // A linear congruential generator is random enough here, and the same each time.
  let state = 1;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const logins = Array.from({ length: users }, (_, user) => {
    const first = random() * hour;
    const together = Array.from({ length: AT_ONCE }, (__, index) => first + (index === 0 ? 0 : random() * TOGETHER));
    const later = Array.from({ length: LATER }, () => first + random() * (hour - first));
    return [...together, ...later].map((at) => ({ user, at }));
  });
  return logins.flat().sort((a, b) => a.at - b.at);
}

/** A directory of users in 5 to 20 groups each. */
function directoryOf(users: number): string {
  const groups = Math.max(20, users / 10);
  const members = new Map<number, string[]>();
  const people = Array.from({ length: users }, (_, user) => {
    const dn = `uid=user${user},ou=people,dc=example,dc=test`;
    for (let index = 0; index < 5 + (user % 16); index++) {
      const group = (user * 31 + index * 311) % groups;
      members.set(group, [...(members.get(group) ?? []), `member: ${dn}\n`]);
    }
    return `dn: ${dn}\nobjectClass: inetOrgPerson\nuid: user${user}\ncn: x\nsn: x\n`;
  });
  const entries = [...members].map(([group, lines]) => {
    return `dn: cn=department-${group},ou=groups,dc=example,dc=test\nobjectClass: groupOfNames\ncn: department-${group}\n${[...new Set(lines)].join('')}`;
  });
  return `${BASE_LDIF}${[...people, ...entries].join('\n')}\n`;
}
