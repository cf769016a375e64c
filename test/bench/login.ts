import { connect } from 'node:net';
import { join } from 'node:path';
import { type Dovecot, type DovecotVersion, startDovecot, VERSIONS } from '../support/dovecot.js';
import { installPackage } from '../support/installed.js';
import { type BenchContext, NotPossible } from './benchmark.js';
import { drawBars } from './chart.js';
import { openLdap, searchesFor } from './ldap-wire.js';
import {
  BARE,
  DOOR,
  DOOR_CACHED,
  EXEC,
  EXEC_CACHED,
  GROUPS,
  NONE,
  NONE_AGAIN,
  POST_LOGIN,
  type Rival,
  rivals,
  SHELL,
  SLAPD,
  startDirectory,
  USERS,
} from './login-rivals.js';
import { alternate, concurrently, type Measured } from './measure.js';
import { type Expectation, type Table, tabulate } from './report.js';
import { ask, requestOf } from './servers.js';

const ONE_AT_A_TIME: readonly Expectation[] = [
  { contestant: NONE_AGAIN, rival: NONE, figure: 'p50', expected: { atMost: 1.02 } },
  { contestant: DOOR, rival: NONE, figure: 'p50', expected: { atMost: 1.05 } },
  { contestant: DOOR_CACHED, rival: NONE, figure: 'p50', expected: { atMost: 1.015 } },
  { contestant: POST_LOGIN, rival: NONE, figure: 'p50', expected: { atMost: 1.05 } },
  { contestant: EXEC_CACHED, rival: SHELL, figure: 'p50', expected: { atMost: 1 } },
];

const MANY_AT_A_TIME: readonly Expectation[] = [
  { contestant: DOOR, rival: SHELL, figure: 'rate', expected: { atLeast: 2 } },
  { contestant: POST_LOGIN, rival: SHELL, figure: 'rate', expected: { atLeast: 2 } },
];

/** Whose bars the picture has: what an administrator chooses from. */
const SHOWN: readonly string[] = [NONE, SHELL, EXEC, EXEC_CACHED, POST_LOGIN, DOOR];

const AT_ONCE = 8;

/** Real logins over IMAP: what each way to get groups costs a mail client. */
export async function* login({ short, output, progress }: BenchContext): AsyncGenerator<Table> {
  if (process.getuid?.() !== 0) throw new NotPossible('it starts Dovecot, which needs root');
  const installed = await installPackage();
  const slapd = await startDirectory();
  const count = rivals('2.3', '', slapd).length;
  const { single, many } = short ? { single: 20, many: 1 } : { single: 2000, many: 15 };
  const bar = progress('login', VERSIONS.length * count * (USERS.length + single + many + 1));
  try {
    const tables: Table[] = [];
    for (const version of VERSIONS) {
      const servers = await startAll(version, rivals(version, installed.package[version].command, slapd));
      try {
        await requireGroups(servers);
        await warmUp(servers, short ? 100 : RESIDENT);
        const one = await alternate(
          servers.map(({ name, dovecot }) => ({ name, round: eachUserInTurn(dovecot, 1, 1) })),
          // The warm-up makes everybody's mailbox.
          { rounds: single, warmUp: USERS.length, lot: Math.random, onRound: () => bar.step() },
        );
        tables.push(tableOf(version, 1, one));
        yield* tables.slice(-1);
        const several = await alternate(
          servers.map(({ name, dovecot }) => ({ name, round: eachUserInTurn(dovecot, (short ? 1 : 4) * USERS.length, AT_ONCE) })),
          { rounds: many, warmUp: 1, onRound: () => bar.step() },
        );
        tables.push(tableOf(version, AT_ONCE, several));
        yield* tables.slice(-1);
      } finally {
        await Promise.all(servers.map(({ dovecot }) => dovecot.stop()));
      }
    }
    await drawChart(join(output, 'login.svg'), tables);
  } finally {
    bar.end();
    await Promise.all([slapd.remove(), installed.remove()]);
  }
}

/** What is asked by a userdb has to answer: a Dovecot that finds no groups would look quick. */
async function requireGroups(servers: readonly Server[]): Promise<void> {
  for (const { name, dovecot } of servers) {
    if (![DOOR, DOOR_CACHED, BARE, SLAPD].includes(name)) continue;
    const { stdout, stderr } = await dovecot.doveadm(['user', '-f', 'acl_groups', USERS[0] ?? '']);
    if (stdout.trim() !== [USERS[0], ...GROUPS].join(',')) throw new Error(`${name}: acl_groups is ${JSON.stringify(stdout)} ${stderr}`);
  }
}

/** Rounds of so many logins, so many at a time, which go on from user to user. */
function eachUserInTurn({ host, imapPort }: Dovecot, count: number, atOnce: number): () => ReturnType<typeof concurrently> {
  let next = 0;
  return () => concurrently(count, atOnce, () => logIn(host, imapPort, USERS[next++ % USERS.length] ?? ''));
}

/** How many requests a service has answered before it is measured: a process that stays is what it is after its first minutes. */
const RESIDENT = 5000;

/** Has those that stay answer requests like Dovecot's, until V8 has compiled their code. The others begin anew with each login. */
async function warmUp(servers: readonly Server[], requests: number): Promise<void> {
  const users = Array.from({ length: requests }, (_, index) => USERS[index % USERS.length] ?? '');
  for (const { name, dovecot } of servers) {
    const socket = join(dovecot.world.directory, 'run/acl-groups');
    if (name === POST_LOGIN) await concurrently(requests, 8, (index) => ask(socket, requestOf(index % USERS.length)));
    if (![DOOR, DOOR_CACHED, BARE].includes(name)) continue;
    const connection = await openLdap(socket);
    await connection.search(searchesFor(users, { base: 'dc=acl-groups', assertions: ['uid', 'account'], attribute: 'aclGroups' }), 1);
    connection.close();
  }
}

/** The picture for people: the time of a single login, and how many a busy machine gets done. */
async function drawChart(file: string, tables: readonly Table[]): Promise<void> {
  const ofConcurrency = (atOnce: number): Readonly<Record<string, Table>> =>
    Object.fromEntries(
      VERSIONS.flatMap((version) =>
        tables
          .filter(({ title }) => title === titleOf(version, atOnce))
          .map((table) => {
            const rows = SHOWN.flatMap((name) => table.rows.filter(({ contestant }) => contestant === name));
            return [`Dovecot ${version}`, { ...table, rows }] as const;
          }),
      ),
    );
  await drawBars(file, [
    { title: 'one login, median (ms)', figure: 'p50', tables: ofConcurrency(1) },
    { title: `logins a second, ${AT_ONCE} at a time`, figure: 'rate', tables: ofConcurrency(AT_ONCE) },
  ]);
}

function titleOf(version: DovecotVersion, atOnce: number): string {
  return `login: Dovecot ${version}, ${atOnce} at a time`;
}

function tableOf(version: DovecotVersion, atOnce: number, measured: readonly Measured[]): Table {
  const how = atOnce === 1 ? 'each by one login in turn, in an order drawn by lot' : 'in rounds of 80 logins each';
  return tabulate(titleOf(version, atOnce), measured, {
    rival: NONE,
    note: `from connecting to LOGIN's OK; the rate counts LOGOUT, too; a Dovecot for each, all running at once, ${how}; users with five groups of /etc/group`,
    expectations: atOnce === 1 ? ONE_AT_A_TIME : MANY_AT_A_TIME,
    single: atOnce === 1,
  });
}

/** Login processes stay and serve everybody, as busy sites have it: what is left to differ comes after the login. */
const LOGIN_PROCESSES: Readonly<Record<DovecotVersion, string>> = {
  '2.3': 'service imap-login {\n  service_count = 0\n  process_min_avail = 2\n}\n',
  '2.4': 'service imap-login {\n  restart_request_count = unlimited\n  process_min_avail = 2\n}\n',
};

interface Server {
  readonly name: string;
  readonly dovecot: Dovecot;
}

async function startAll(version: DovecotVersion, all: readonly Rival[]): Promise<readonly Server[]> {
  return Promise.all(
    all.map(async ({ name, options: { config, ...options } }) => ({
      name,
      dovecot: await startDovecot({
        version,
        accounts: USERS.map((user) => ({ name: user })),
        groups: Object.fromEntries(GROUPS.map((group) => [group, USERS])),
        debug: false,
        userdbs: [{ driver: 'passwd' }],
        ...options,
        config: (directory) => LOGIN_PROCESSES[version] + (typeof config === 'function' ? config(directory) : (config ?? '')),
      }),
    })),
  );
}

/** One login by as little client as possible. Returns the milliseconds from connecting to LOGIN's OK, once the server has hung up. */
function logIn(host: string, port: number, user: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const socket = connect({ host, port, noDelay: true });
    let received = '';
    let elapsed: number | undefined;
    let next = '* OK';
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      received += text;
      // Untagged lines may come before the tagged one.
      const line = received.split('\r\n').find((one) => one.startsWith(next));
      if (line === undefined || !received.endsWith('\r\n')) return;
      if (next === '* OK') {
        next = 'a OK';
        socket.write(`a LOGIN ${user} secret\r\n`);
      } else if (next === 'a OK') {
        elapsed = performance.now() - started;
        next = 'b OK';
        socket.write('b LOGOUT\r\n');
      }
    });
    socket.on('error', reject);
    socket.on('close', () => {
      if (elapsed === undefined) reject(new Error(`the login of ${user} failed: ${JSON.stringify(received)}`));
      else resolve(elapsed);
    });
  });
}
