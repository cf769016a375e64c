/**
 * Real Dovecot for tests and benchmarks, 2.3 of this machine and 2.4 of Debian 13, with one API. Needs root; imports no test framework.
 *
 *     const dovecot = await startDovecot({
 *       version: '2.4',
 *       accounts: [{ name: 'alice' }],                       // UNIX accounts: the passwd userdb sets SYSTEM_GROUPS_USER
 *       groups: { acct: ['alice'], 'Domain Users': ['alice'] },   // of /etc/group
 *       virtualUsers: [{ name: 'bob@example.com', fields: { namespace: 'x' } }],  // passwd-file userdb with fields of its own
 *       etc: { 'acl-groups.toml': 'providers = ["unix"]' },  // files below this world's /etc
 *       postLogin: installed['2.4'].command,                 // exec mode: script-login's argument, in the documentation's own block
 *       postLoginSocket: 'acl-groups',                       // or serve mode: the socket that mail processes ask
 *       protocols: ['imap', 'lmtp', 'sieve'],                // IMAP and POP3 unless given; LMTP comes with the Sieve plugin
 *       userdbs: [{ driver: 'passwd', continues: true }],    // any of Dovecot's, in order: dovecot-userdbs.ts
 *       publicMailboxes: { team: 'group=acct lrwstipekxa\n' }, // Public/team with that dovecot-acl
 *       sieve: 'require "fileinto"; fileinto "Public/team";', // everybody's script: delivery by LMTP
 *       masterUsers: ['admin'], authCache: true, passdb: '…',
 *       config: '…',                                         // more dovecot.conf, in that version's syntax
 *     });
 *     await dovecot.groupsOf('alice');                // logs in and out: the groups that Dovecot says it added, in order
 *     const client = await dovecot.imap();            // connected, greeting read; client.command('LOGIN alice secret')
 *     await dovecot.session(client);                  // the log lines of that client's login: { groups, lines, … }
 *     await dovecot.doveadm(['mailbox', 'list', '-u', 'alice']);  // { status, stdout, stderr }
 *     await deliver(await dovecot.lmtp(), ['alice']); // lmtp.ts: the reply for each recipient
 *     await manageSieve(dovecot, 'alice');            // managesieve.ts: logged in
 *     await dovecot.log.wait(/a log line/);
 *     await dovecot.reload();                         // as doveadm reload
 *     await writeFile(`${dovecot.world.etc}/group`, …);   // accounts and configuration may change while it runs
 *     await dovecot.world.run(['id', '-Gn', 'alice']);    // any program in the same world
 *     await dovecot.stop();                           // all its processes are gone afterwards
 *
 * Everybody's password is "secret". Every Dovecot listens on a loopback address of its own, so many may run at once.
 * ACL_GROUPS_TEST_KEEP=1 keeps the temporary directories for a look at configuration and log.
 */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dovecotConfig, PORTS, type Protocol } from './dovecot-config.js';
import type { Userdb, VirtualUser } from './dovecot-userdbs.js';
import { LineClient, quoted } from './imap.js';
import { followLog, type LogFile } from './log-file.js';
import { makeMailbox, publicNamespace } from './public-mailboxes.js';
import { type Session, sessionIn } from './session-log.js';
import { namespaceOf, openWorld, type ProcessInfo, processesOf, type RunResult, type World, type WorldOptions } from './world.js';

export { type Protocol, SPELLING, scriptLoginBlocks } from './dovecot-config.js';
export { ldapUserLdif, type Userdb, type VirtualUser, VMAIL } from './dovecot-userdbs.js';
export { type ImapReply, LineClient, quoted } from './imap.js';
export type { Session } from './session-log.js';
export { type Account, type DovecotVersion, VERSIONS } from './world.js';

export interface DovecotOptions extends WorldOptions {
  /** What it serves. Default IMAP and POP3. */
  readonly protocols?: readonly Protocol[];
  /** Users of the first one of the default userdbs, passwd-file and passwd. */
  readonly virtualUsers?: readonly VirtualUser[];
  /** The userdbs, instead of these two. */
  readonly userdbs?: readonly Userdb[];
  /** The passdb's blocks, in that version's syntax, instead of one that takes `secret` for everybody. */
  readonly passdb?: string;
  /** Who may log in as others: `OTHER*MASTER`. */
  readonly masterUsers?: readonly string[];
  /** Whether the auth process keeps answers: `auth_cache_size`. Default false. */
  readonly authCache?: boolean;
  /** The Sieve script of everybody who has none. */
  readonly sieve?: string;
  /** Mailboxes below `Public/` with their dovecot-acl. */
  readonly publicMailboxes?: Readonly<Record<string, string>>;
  /** The words after `script-login`, for IMAP and POP3. A function gets the temporary directory, for paths of helper scripts. */
  readonly postLogin?: string | ((directory: string) => string) | undefined;
  /** The name or path of the socket that mail processes ask after a login. */
  readonly postLoginSocket?: string | undefined;
  /** Added to the end of dovecot.conf; a function gets the temporary directory. */
  readonly config?: string | ((directory: string) => string) | undefined;
  /** Called when all files are written, before the start. */
  readonly prepare?: (world: World) => Promise<void>;
  /** Files to write below the temporary directory before the start, by name: executable if they start with `#!`. */
  readonly files?: Readonly<Record<string, string>>;
  /** Whether ACLs are logged, which `groupsOf` and `session` need. Default true. */
  readonly debug?: boolean;
}

export interface Dovecot {
  readonly world: World;
  /** The loopback address that it listens on. */
  readonly host: string;
  /** Where each protocol is served. */
  readonly ports: Readonly<Record<Protocol, number>>;
  readonly imapPort: number;
  readonly pop3Port: number;
  readonly log: LogFile;
  /** The master's process id. */
  readonly pid: number;
  /** An IMAP client, greeting read; logged in if a user is given. Ended by `stop` at the latest. */
  imap(user?: string): Promise<LineClient>;
  /** A POP3 client, greeting read. */
  pop3(): Promise<LineClient>;
  /** An LMTP client, greeting read. */
  lmtp(): Promise<LineClient>;
  /** A ManageSieve client; the first line of the greeting is read. */
  sieve(): Promise<LineClient>;
  /** Runs doveadm in this Dovecot's world, on its configuration. */
  doveadm(words: readonly string[]): Promise<RunResult>;
  /** What the log says of a client's login, complete once the client has logged out or lost its connection: waits for that. */
  session(client: LineClient): Promise<Session>;
  /**
   * Logs a user in and out.
   * @throws Error with the log when the login fails
   */
  groupsOf(user: string): Promise<readonly string[]>;
  /** Reads the configuration again, as `doveadm reload`. */
  reload(): Promise<void>;
  /** Every process of this Dovecot: master, services, mail processes, scripts. */
  processes(): Promise<readonly ProcessInfo[]>;
  /**
   * Ends the server, waits for all its processes, removes the directory.
   * @throws Error if a process outlived the master for ten seconds (it is killed)
   */
  stop(): Promise<void>;
}

/** Starts a Dovecot in a world of its own, and waits until it listens. */
export async function startDovecot(options: DovecotOptions): Promise<Dovecot> {
  const world = await openWorld(options);
  const { directory, version } = world;
  const host = `127.${randomInt(1, 255)}.${randomInt(256)}.${randomInt(1, 255)}`;
  const resolve = (value: string | ((directory: string) => string) | undefined): string | undefined =>
    typeof value === 'function' ? value(directory) : value;
  const conf = join(directory, 'dovecot.conf');
  const publicDirectory = join(directory, 'public');
  const mailboxes = Object.entries(options.publicMailboxes ?? {});
  await writeFile(
    conf,
    dovecotConfig({
      version,
      directory,
      host,
      protocols: options.protocols ?? ['imap', 'pop3'],
      userdbs: options.userdbs ?? [{ driver: 'passwd-file', users: options.virtualUsers ?? [] }, { driver: 'passwd' }],
      passdb: options.passdb,
      masterUsers: options.masterUsers,
      authCache: options.authCache,
      sieveScript: options.sieve && join(directory, 'sieve/default.sieve'),
      postLogin: resolve(options.postLogin),
      postLoginSocket: options.postLoginSocket,
      debug: options.debug ?? true,
      config: (mailboxes.length > 0 ? publicNamespace(version, 'public', publicDirectory) : '') + (resolve(options.config) ?? ''),
    }),
  );
  for (const [name, acl] of mailboxes) await makeMailbox(world, publicDirectory, name, acl);
  if (options.sieve !== undefined) {
    // Whoever runs the script first writes its compiled form beside it.
    await mkdir(join(directory, 'sieve'));
    await chmod(join(directory, 'sieve'), 0o1777);
    await writeFile(join(directory, 'sieve/default.sieve'), options.sieve);
  }
  for (const [name, text] of Object.entries(options.files ?? {})) {
    await writeFile(join(directory, name), text, { mode: text.startsWith('#!') ? 0o755 : 0o644 });
  }
  await mkdir(join(directory, 'state'));
  await options.prepare?.(world);
  const log = followLog(join(directory, 'dovecot.log'));
  const master = world.spawn(['dovecot', '-F', '-c', conf], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [master.stdout, master.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
  const ended = once(master, 'close').then(() => log.close(`Dovecot has ended; it printed: ${output}`));
  try {
    await log.wait(/ master: Info: Dovecot .* starting up/);
  } catch (error) {
    await world.close();
    throw error;
  }
  const pid = master.pid ?? 0;
  const namespace = (await namespaceOf(pid)) ?? '';
  /** The clients, each with the end of the log when it came: another one may have had the same port before. */
  const clients = new Map<LineClient, number>();

  const open = async (port: number): Promise<LineClient> => {
    const from = log.lines.length;
    const client = await LineClient.connect(port, host);
    clients.set(client, from);
    await client.line();
    return client;
  };
  const session = (client: LineClient): Promise<Session> => {
    const from = clients.get(client) ?? 0;
    return log.until(() => sessionIn(log.lines.slice(from), client.localPort), `the session of port ${client.localPort}`);
  };
  const imap = async (user?: string): Promise<LineClient> => {
    const client = await open(PORTS.imap);
    if (user === undefined) return client;
    const reply = await client.command(`LOGIN ${quoted(user)} secret`).catch((error: Error) => ({ status: 'lost', text: error.message }));
    if (reply.status !== 'OK') throw new Error(`login of ${user}: ${reply.status} ${reply.text}; the log:\n${log.lines.join('\n')}`);
    return client;
  };
  return {
    world,
    host,
    ports: PORTS,
    imapPort: PORTS.imap,
    pop3Port: PORTS.pop3,
    log,
    pid,
    imap,
    pop3: () => open(PORTS.pop3),
    lmtp: () => open(PORTS.lmtp),
    sieve: () => open(PORTS.sieve),
    doveadm: (words) => world.run(['doveadm', '-c', conf, ...words]),
    session,
    groupsOf: async (user) => {
      const client = await imap(user);
      await client.command('LOGOUT');
      client.destroy();
      return (await session(client)).groups;
    },
    reload: async () => {
      const from = log.lines.length;
      process.kill(pid, 'SIGHUP');
      await log.wait(/ master: Warning: SIGHUP received - reloading configuration/, from);
    },
    processes: () => processesOf(namespace),
    stop: async () => {
      for (const client of clients.keys()) client.destroy();
      if (master.exitCode === null && master.signalCode === null) process.kill(pid, 'SIGTERM');
      await ended;
      const left = await outlivers(namespace);
      await world.close();
      if (left.length > 0) throw new Error(`processes outlived Dovecot's master: ${left.map(({ command }) => command).join('; ')}`);
    },
  };
}

/** The processes that are still there ten seconds after the master's end; they are killed. */
async function outlivers(namespace: string): Promise<readonly ProcessInfo[]> {
  for (const deadline = Date.now() + 10_000; ; ) {
    const left = await processesOf(namespace);
    if (left.length === 0) return left;
    if (Date.now() > deadline) {
      for (const { pid } of left) process.kill(pid, 'SIGKILL');
      return left;
    }
    // Nobody reports the end of somebody else's child.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
