import { chown, mkdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type Dovecot, type DovecotOptions, type DovecotVersion, SPELLING, startDovecot, VERSIONS } from '../support/dovecot.js';
import { installPackage } from '../support/installed.js';
import { serveBlock } from '../support/serve.js';
import { type BenchContext, NotPossible } from './benchmark.js';
import { drawBars } from './chart.js';
import { alternate, concurrently, type Measured } from './measure.js';
import { type Expectation, type Table, tabulate } from './report.js';
import { ask, requestOf } from './servers.js';
import { SHELL_EXAMPLE } from './shell-example.js';

const NONE = 'no post-login service';
const SHELL = 'shell example';
const EXEC = 'acl-groups in a chain';
const CACHE = 'acl-groups in a chain, --cache-dir';
const SERVE = 'acl-groups, the service';

const EXPECTATIONS: readonly Expectation[] = [
  { contestant: SERVE, rival: NONE, figure: 'p50', expected: { atMost: 1.05 } },
  { contestant: CACHE, rival: SHELL, figure: 'p50', expected: { atMost: 1 } },
  { contestant: SERVE, rival: SHELL, figure: 'rate', expected: { atLeast: 2 } },
];

const USERS = Array.from({ length: 20 }, (_, index) => `user${index}`);
const GROUPS = ['acct', 'sales', 'support', 'board', 'project'];

/** Real logins over IMAP: what each way to get groups costs a mail client. */
export async function login({ short, output, progress }: BenchContext): Promise<readonly Table[]> {
  if (process.getuid?.() !== 0) throw new NotPossible('it starts Dovecot, which needs root');
  const installed = await installPackage();
  const rounds = plans(short).reduce((sum, plan) => sum + plan.rounds + 1, 0);
  const bar = progress('login', VERSIONS.length * contestantsOf('2.3', '').length * rounds);
  try {
    const tables: Table[] = [];
    for (const version of VERSIONS) {
      const servers = await startAll(version, contestantsOf(version, installed.package[version].command));
      try {
        await warmUp(servers, short ? 100 : RESIDENT);
        for (const { atOnce, count, rounds } of plans(short)) {
          const measured = await alternate(
            servers.map(({ name, dovecot: { host, imapPort: port } }) => ({
              name,
              round: () => concurrently(count, atOnce, (index) => logIn(host, port, USERS[index % USERS.length] ?? '')),
            })),
            { rounds, warmUp: 1, onRound: () => bar.step() },
          );
          tables.push(tableOf(version, atOnce, measured));
        }
      } finally {
        await Promise.all(servers.map(({ dovecot }) => dovecot.stop()));
      }
    }
    await drawChart(join(output, 'login.svg'), tables);
    return tables;
  } finally {
    bar.end();
    await installed.remove();
  }
}

/** How many requests the service has answered before it is measured: a process that stays is what it is after its first minutes. */
const RESIDENT = 5000;

/** Has the service answer requests like those of mail processes, until V8 has compiled its code. The others begin anew with each login. */
async function warmUp(servers: Awaited<ReturnType<typeof startAll>>, requests: number): Promise<void> {
  const { dovecot } = servers.find(({ name }) => name === SERVE) ?? {};
  if (dovecot === undefined) throw new Error('no Dovecot has the service');
  const socket = join(dovecot.world.directory, 'run/acl-groups');
  await concurrently(requests, 8, (index) => ask(socket, requestOf(index % USERS.length)));
}

/** The picture for people: the time of a single login, and how many a busy machine gets done. */
async function drawChart(file: string, tables: readonly Table[]): Promise<void> {
  const ofConcurrency = (atOnce: number): Readonly<Record<string, Table>> =>
    Object.fromEntries(
      VERSIONS.flatMap((version) =>
        tables.filter(({ title }) => title === titleOf(version, atOnce)).map((table) => [`Dovecot ${version}`, table]),
      ),
    );
  await drawBars(file, [
    { title: 'one login, median (ms)', figure: 'p50', tables: ofConcurrency(1) },
    { title: 'logins a second, 8 at a time', figure: 'rate', tables: ofConcurrency(8) },
  ]);
}

function titleOf(version: DovecotVersion, atOnce: number): string {
  return `login: Dovecot ${version}, ${atOnce} at a time`;
}

function plans(short: boolean): readonly { readonly atOnce: number; readonly count: number; readonly rounds: number }[] {
  // Each round visits every user, so that the warm-up makes everybody's mailbox.
  return [
    { atOnce: 1, count: USERS.length, rounds: short ? 1 : 40 },
    { atOnce: 8, count: short ? USERS.length : 4 * USERS.length, rounds: short ? 1 : 15 },
  ];
}

function tableOf(version: DovecotVersion, atOnce: number, measured: readonly Measured[]): Table {
  return tabulate(titleOf(version, atOnce), measured, {
    rival: NONE,
    note: `from connecting to LOGIN's OK; the rate counts LOGOUT, too; users with five groups of /etc/group; the service has answered ${RESIDENT.toLocaleString('en-US')} requests before`,
    expectations: EXPECTATIONS,
  });
}

/** What differs between the contestants: how each Dovecot is told to get the groups. */
function contestantsOf(
  version: DovecotVersion,
  command: string,
): readonly { readonly name: string; readonly options: Partial<DovecotOptions> }[] {
  return [
    { name: NONE, options: {} },
    { name: SHELL, options: { files: { 'groups.sh': SHELL_EXAMPLE }, postLogin: (directory) => join(directory, 'groups.sh') } },
    { name: EXEC, options: { postLogin: command, config: noLimit(version) } },
    {
      name: CACHE,
      options: {
        postLogin: (directory) => `${command} --cache-dir ${join(directory, CACHE_DIRECTORY)}`,
        config: noLimit(version),
        etc: { 'acl-groups.toml': '[cache]\nttl = "24h"\n' },
      },
    },
    { name: SERVE, options: { postLoginSocket: 'acl-groups', config: serveBlock(version, command) } },
  ];
}

const CACHE_DIRECTORY = 'answers';

/** Node.js needs more address space than a script: with too little, the launcher starts it without its compiler, which takes longer. */
function noLimit(version: DovecotVersion): string {
  return `service imap-postlogin {\n  vsz_limit = ${SPELLING[version].noLimit}\n}\n`;
}

/** Login processes stay and serve everybody, as busy sites have it: what is left to differ comes after the login. */
const LOGIN_PROCESSES: Readonly<Record<DovecotVersion, string>> = {
  '2.3': 'service imap-login {\n  service_count = 0\n  process_min_avail = 2\n}\n',
  '2.4': 'service imap-login {\n  restart_request_count = unlimited\n  process_min_avail = 2\n}\n',
};

async function startAll(
  version: DovecotVersion,
  contestants: ReturnType<typeof contestantsOf>,
): Promise<readonly { readonly name: string; readonly dovecot: Dovecot }[]> {
  return Promise.all(
    contestants.map(async ({ name, options }) => {
      const dovecot = await startDovecot({
        version,
        accounts: USERS.map((user) => ({ name: user })),
        groups: Object.fromEntries(GROUPS.map((group) => [group, USERS])),
        debug: false,
        ...options,
        config: LOGIN_PROCESSES[version] + (options.config ?? ''),
      });
      await makeCacheDirectory(dovecot);
      return { name, dovecot };
    }),
  );
}

/** What --cache-dir needs: a directory of the post-login service's user, closed to others. */
async function makeCacheDirectory({ world }: Dovecot): Promise<void> {
  const directory = join(world.directory, CACHE_DIRECTORY);
  const [, uid, gid] = /^dovecot:[^:]*:(\d+):(\d+):/m.exec(await readFile(join(world.etc, 'passwd'), 'utf8')) ?? [];
  await mkdir(directory, { mode: 0o700 });
  await chown(directory, Number(uid), Number(gid));
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
