import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readMonitor } from '../../src/service/userdb-client.js';
import type { BenchContext } from './benchmark.js';
import { openLdap, searchesFor } from './ldap-wire.js';
import { concurrently, type Sample, summarize } from './measure.js';
import { type Figure, isMet, type Row, type Table, type Verdict } from './report.js';
import { ask, privateMemory, requestOf, residentMemory, type SocketServer, startServer, startService } from './servers.js';

/** As many as Dovecot has in flight on its connection, and as many logins at a time at the other door. */
const AT_ONCE = 8;
const MIB = 1024 * 1024;
/** What a service may take with a hundred thousand users, in bytes. */
const MOST_MEMORY = 80e6;
/** How much more than `max_size` the memory may grow. */
const MOST_OVERHEAD = 1.3;
/** What "flat" means: no figure is more than this many times what it was. */
const FLAT = 1.1;

/** How the service bears many users and many logins through both doors: its memory, and the time of an answer from the cache. */
export async function* scale({ short, scratch, installed, progress }: BenchContext): AsyncGenerator<Table> {
  const command = await installed();
  const socket = join(scratch, 'ldap');
  const program = fileURLToPath(new URL('directory-server.js', import.meta.url));
  const directory = await startServer(process.execPath, [program, socket], socket, 'listening');
  const start = (name: string, maxSize: string): Promise<SocketServer> =>
    startService(command, scratch, { name, providers: ldapProvider(socket), cache: `ttl = "24h"\nmax_size = "${maxSize}"\n` });
  try {
    yield await manyUsers(start, short, progress);
    yield await fullCache(start, short, progress);
  } finally {
    await directory.stop();
  }
}

const ldapProvider = (socket: string): string => `providers = ["ldap"]

[provider.ldap]
uris = ["ldapi://${encodeURIComponent(socket)}"]
user_base = "ou=people,dc=example,dc=test"
group_base = "ou=groups,dc=example,dc=test"
nesting_level = 0
primary_group = false
`;

type Start = (name: string, maxSize: string) => Promise<SocketServer>;

/** Users by number, asked for through both doors. The large odd stride visits all in no order that a cache could like. */
const STRIDE = 7919;

async function manyUsers(start: Start, short: boolean, progress: BenchContext['progress']): Promise<Table> {
  const sizes: readonly { readonly users: number; readonly maxSize: string }[] = short
    ? [1, 100, 1000].map((users) => ({ users, maxSize: '64M' }))
    : [1, 1000, 10_000, 100_000, 1_000_000].map((users) => ({ users, maxSize: users > 100_000 ? '300M' : '64M' }));
  /** The size that is asked for long. */
  const long = short ? 1000 : 100_000;
  const total = short ? 5000 : 1_000_000;
  const measuring = short ? 500 : 50_000;
  const bar = progress('scale: users', sizes.length * 2 + 2);
  const rows: Row[] = [];
  try {
    for (const { users, maxSize } of sizes) {
      const server = await start(`users-${users}`, maxSize);
      const look = async (contestant: string): Promise<void> => {
        const [door, postLogin] = await both(server, measuring, (index) => (index * STRIDE) % users);
        const cached = Number((await readMonitor(server.path)).cachedUsers);
        if (cached !== users) throw new Error(`${cached} of ${users} users are in the cache`);
        const figures = memoryOf(server);
        rows.push({
          contestant,
          ...summarize({ name: '', samples: [door] }),
          figures: [...figures, { label: 'p99 post-login', value: summarize({ name: '', samples: [postLogin] }).p99, unit: 'ms' }],
        });
        bar.step();
      };
      try {
        await search(server, users, (index) => index);
        bar.step();
        await look(`${users.toLocaleString('en-US')} ${users === 1 ? 'user' : 'users'}`);
        if (users !== long) continue;
        await both(server, (total - users) / 2 - 2 * measuring, (index) => (index * STRIDE) % users);
        bar.step();
        await look(`after ${total.toLocaleString('en-US')} requests`);
      } finally {
        await server.stop();
      }
    }
  } finally {
    bar.end();
  }
  const at = rows.findIndex(({ contestant }) => contestant === `${long.toLocaleString('en-US')} users`);
  return {
    title: `scale: users in the cache, ${AT_ONCE} in flight`,
    note: "memory is the resident set, private what is not a file such as that of Node.js; 5 to 20 groups each, whose names have 8 to 24 letters, from LDAP; all answers are cache hits; times are the userdb door's",
    rows,
    verdicts: judge(rows[at], rows[at + 1]),
  };
}

/** A user takes 270 bytes of the cache: by this number of them it is full for a while. */
const BYTES_PER_USER = 200;
/** How many it takes for the rest of the process to have reached its size, too. */
const FEWEST = 50_000;

/** Asks for more users than there is room for, by two sizes of room. What one takes more than the other is what the room is made of. */
async function fullCache(start: Start, short: boolean, progress: BenchContext['progress']): Promise<Table> {
  const [small, large] = short ? [1, 2] : [1, 64];
  const bar = progress('scale: max_size', 2);
  const rows: Row[] = [];
  for (const size of [small, large]) {
    const users = Math.max(short ? 10_000 : FEWEST, (size * MIB) / BYTES_PER_USER) | 0;
    const server = await start(`full-${size}`, `${size}M`);
    try {
      const sample = await search(server, users, (index) => index);
      const { cachedUsers, cacheBytes } = await readMonitor(server.path);
      if (Number(cachedUsers) >= users) throw new Error(`max_size = "${size}M" has room for all ${users} users`);
      const figures: readonly Figure[] = [...memoryOf(server), { label: 'by its own count', value: Number(cacheBytes), unit: 'bytes' }];
      rows.push({
        contestant: `max_size = "${size}M", ${users.toLocaleString('en-US')} users`,
        ...summarize({ name: '', samples: [sample] }),
        figures,
      });
    } finally {
      await server.stop();
    }
    bar.step();
  }
  bar.end();
  const [less, more] = rows.map((row) => row.figures?.[0]?.value ?? Number.NaN);
  const growth = ((more ?? Number.NaN) - (less ?? Number.NaN)) / ((large - small) * MIB);
  return {
    title: 'scale: a full cache',
    note: 'each answer is a lookup, and puts another one out',
    rows,
    verdicts: [verdict('growth of memory / of max_size', growth, 'ratio', MOST_OVERHEAD)],
  };
}

function memoryOf(server: SocketServer): readonly Figure[] {
  return [
    { label: 'memory', value: residentMemory(server.pid), unit: 'bytes' },
    { label: 'private', value: privateMemory(server.pid), unit: 'bytes' },
  ];
}

/** So many requests at each of the doors. */
async function both(server: SocketServer, count: number, user: (index: number) => number): Promise<readonly [Sample, Sample]> {
  const door = await search(server, count, user);
  return [door, await concurrently(count, AT_ONCE, (index) => ask(server.path, requestOf(user(index))))];
}

/** How many searches are encoded at once. */
const PORTION = 10_000;

/** So many searches on one connection, in portions that this process has the memory for. */
async function search(server: SocketServer, count: number, user: (index: number) => number): Promise<Sample> {
  const connection = await openLdap(server.path);
  const latencies: number[] = [];
  let elapsed = 0;
  for (let from = 0; from < count; from += PORTION) {
    const users = Array.from({ length: Math.min(PORTION, count - from) }, (_, index) => `user${user(from + index)}`);
    const sample = await connection.search(
      searchesFor(users, { base: 'dc=acl-groups', assertions: ['uid', 'account'], attribute: 'aclGroups' }),
      AT_ONCE,
    );
    for (const latency of sample.latencies) latencies.push(latency);
    elapsed += sample.elapsed;
  }
  connection.close();
  return { latencies, elapsed };
}

function judge(before: Row | undefined, after: Row | undefined): readonly Verdict[] {
  const memory = (row: Row | undefined): number => row?.figures?.[0]?.value ?? Number.NaN;
  const p99 = (row: Row | undefined): number => row?.p99 ?? Number.NaN;
  return [
    verdict(`memory with ${before?.contestant}`, memory(before), 'bytes', MOST_MEMORY),
    verdict(`memory ${after?.contestant} / before`, memory(after) / memory(before), 'ratio', FLAT),
    verdict(`p99 ${after?.contestant} / before`, p99(after) / p99(before), 'ratio', FLAT),
  ];
}

function verdict(what: string, value: number, unit: Verdict['unit'], atMost: number): Verdict {
  return { what, value, unit, expected: { atMost }, met: isMet(value, { atMost }) };
}
