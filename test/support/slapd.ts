import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Ca, Certificate } from './ca.js';

/** What a test's slapd is like. */
export interface SlapdOptions {
  /** What is in the directory, as LDIF; operational attributes may be given. */
  readonly ldif: string;
  /** "memberof", "dynlist" and their lines of configuration. */
  readonly overlays?: readonly { readonly module: string; readonly config: readonly string[] }[];
  readonly tls?: { readonly ca: Ca; readonly certificate: Certificate; readonly verifyClient?: 'demand' | 'allow' };
  /** More lines for the database's part of slapd.conf. */
  readonly config?: readonly string[];
  /** Rules of access that come before the ones that let READER_DN read everything. */
  readonly access?: readonly string[];
  /** Lines for the part before the database. */
  readonly globalConfig?: readonly string[];
  /** posixGroup and posixAccount as RFC 2307bis has them: auxiliary, so that a groupOfNames may be one too. */
  readonly rfc2307bis?: boolean;
  /** Logs nothing: for benchmarks. */
  readonly quiet?: boolean;
}

/** A slapd that belongs to one test file. */
export interface Slapd {
  readonly directory: string;
  readonly port: number;
  readonly ldap: string;
  readonly ldaps: string;
  readonly ldapi: string;
  /** All that it has logged: connections, operations, results. */
  log(): string;
  /** SIGSTOP: connections are still accepted, by the kernel, and nothing is answered. */
  freeze(): void;
  thaw(): void;
  /** Ends it, politely or not, and waits until it has. */
  end(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Starts it again, on the same ports with the same content. */
  start(): Promise<void>;
  /** Ends it for good and removes its files. */
  remove(): Promise<void>;
}

/** The administrator of the directory, and the account that lookups bind as. Both passwords are in `passwordFile`. */
export const ROOT_DN = 'cn=admin,dc=example,dc=test';
export const READER_DN = 'cn=reader,dc=example,dc=test';
export const PASSWORD = 's3cret of the tests';

/** The top of the directory, and the account to bind as. */
export const BASE_LDIF: string = `dn: dc=example,dc=test
objectClass: domain
dc: example

dn: ${READER_DN}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: reader
userPassword: ${PASSWORD}

dn: ou=people,dc=example,dc=test
objectClass: organizationalUnit
ou: people

dn: ou=groups,dc=example,dc=test
objectClass: organizationalUnit
ou: groups

`;

/** A value as LDIF writes it when it may hold anything (RFC 2849). */
export function ldifLine(attribute: string, value: string): string {
  return `${attribute}:: ${Buffer.from(value).toString('base64')}\n`;
}

/** Loads and starts a slapd. */
export async function startSlapd(options: SlapdOptions): Promise<Slapd> {
  const directory = mkdtempSync(join(tmpdir(), 'acl-groups-slapd-'));
  const socket = join(directory, 'ldapi');
  const [port, tlsPort] = await freePorts();
  const conf = join(directory, 'slapd.conf');
  mkdirSync(join(directory, 'db'));
  writeFileSync(join(directory, 'password'), `${PASSWORD}\n`, { mode: 0o600 });
  writeFileSync(conf, slapdConf(directory, options));
  writeFileSync(join(directory, 'content.ldif'), options.ldif);
  execFileSync('slapadd', ['-q', '-f', conf, '-l', join(directory, 'content.ldif')], { stdio: ['ignore', 'ignore', 'pipe'] });
  const ldapi = `ldapi://${encodeURIComponent(socket)}`;
  const urls = [`ldap://127.0.0.1:${port}`, ldapi, ...(options.tls ? [`ldaps://127.0.0.1:${tlsPort}`] : [])];
  const logFile = join(directory, 'log');
  writeFileSync(logFile, '');

  let child: ChildProcess | undefined;
  const end = async (signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> => {
    const ending = child;
    child = undefined;
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
    const ended = new Promise((resolve) => ending.once('exit', resolve));
    ending.kill(signal);
    // One that is stopped can't heed SIGTERM.
    ending.kill('SIGCONT');
    await ended;
  };
  const start = async (): Promise<void> => {
    // Straight into the file, so that what a client has seen happen is in there.
    const log = openSync(logFile, 'a');
    const started = spawn('slapd', ['-d', options.quiet ? '0' : 'stats', '-f', conf, '-h', urls.join(' ')], {
      stdio: ['ignore', 'ignore', log],
    });
    closeSync(log);
    child = started;
    await Promise.race([
      accepting(port),
      new Promise((_, reject) =>
        started.once('exit', (code) => reject(new Error(`slapd ended with ${code}: ${readFileSync(logFile, 'utf8')}`))),
      ),
    ]);
  };
  await start();
  return {
    directory,
    port,
    ldap: `ldap://localhost:${port}`,
    ldaps: `ldaps://localhost:${tlsPort}`,
    ldapi,
    log: () => readFileSync(logFile, 'utf8'),
    freeze: () => freeze(child?.pid ?? 0),
    thaw: () => void child?.kill('SIGCONT'),
    end,
    start,
    async remove() {
      await end('SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function slapdConf(
  directory: string,
  { overlays = [], tls, config = [], access = [], globalConfig = [], rfc2307bis }: SlapdOptions,
): string {
  if (rfc2307bis) writeFileSync(join(directory, 'bis.schema'), RFC2307BIS);
  return [
    ...['core', 'cosine', 'inetorgperson', 'dyngroup'].map((name) => `include /etc/ldap/schema/${name}.schema`),
    `include ${rfc2307bis ? join(directory, 'bis.schema') : '/etc/ldap/schema/nis.schema'}`,
    'modulepath /usr/lib/ldap',
    'moduleload back_mdb',
    ...overlays.map(({ module }) => `moduleload ${module}`),
    `pidfile ${directory}/pid`,
    // Who comes over ldapi as root is the reader.
    `authz-regexp "gidNumber=.*uidNumber=.*,cn=peercred,cn=external,cn=auth" "${READER_DN}"`,
    `authz-regexp "cn=client certificate" "${READER_DN}"`,
    ...(tls
      ? [
          `TLSCACertificateFile ${tls.ca.file}`,
          `TLSCertificateFile ${tls.certificate.cert}`,
          `TLSCertificateKeyFile ${tls.certificate.key}`,
          `TLSVerifyClient ${tls.verifyClient ?? 'never'}`,
        ]
      : []),
    ...globalConfig,
    'database mdb',
    'suffix "dc=example,dc=test"',
    `rootdn "${ROOT_DN}"`,
    `rootpw "${PASSWORD}"`,
    `directory ${directory}/db`,
    'maxsize 268435456',
    'dbnosync',
    'index objectClass,uid,cn,member,memberUid,uidNumber,gidNumber eq',
    'access to attrs=userPassword by anonymous auth by * none',
    'access to dn.base="" by * read',
    ...access.map((rule) => `access to ${rule}`),
    `access to * by dn.base="${READER_DN}" read by * none`,
    ...config,
    ...overlays.flatMap(({ config: lines }) => lines),
    '',
  ].join('\n');
}

/** One search, as slapd saw it. */
export interface LoggedSearch {
  readonly line: string;
  /** Who was bound on its connection; empty for nobody. */
  readonly dn: string;
  readonly tls: boolean;
}

/** The searches in a slapd's log. */
export function searchesIn(log: string): readonly LoggedSearch[] {
  const connections = new Map<string, { dn: string; tls: boolean }>();
  const searches: LoggedSearch[] = [];
  for (const line of log.split('\n')) {
    // A server that was started again counts its connections anew. (Its line about a new one may come behind that of the bind.)
    if (/ slapd starting$/.test(line)) connections.clear();
    const [, id = '', rest = ''] = /conn=(\d+) (.*)$/.exec(line) ?? [];
    const connection = connections.get(id) ?? { dn: '', tls: false };
    connections.set(id, connection);
    if (/TLS established/.test(rest)) connection.tls = true;
    const bound = /BIND dn="([^"]*)" mech=/.exec(rest);
    if (bound) connection.dn = bound[1] ?? '';
    if (/ SRCH base=/.test(rest)) searches.push({ line, ...connection });
  }
  return searches;
}

/**
 * Ports that nobody listens on now. From below those that the kernel gives to connections: one of these could be gone before it is
 * listened on, or while a server that gets it back is down.
 */
export async function freePorts(): Promise<readonly [number, number]> {
  const first = await freePort();
  for (;;) {
    const second = await freePort();
    if (second !== first) return [first, second];
  }
}

async function freePort(): Promise<number> {
  const [lowest] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'latin1').split(/\s/).map(Number);
  for (;;) {
    const port = randomInt(1024, lowest ?? 32_768);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
}

/** Waits until somebody listens: slapd says "starting" before it does. */
export async function accepting(port: number): Promise<void> {
  for (;;) {
    const accepted = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (accepted) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

// The few definitions of draft-howard-rfc2307bis that the tests use: Debian has none of them.
const RFC2307BIS = `
attributetype ( 1.3.6.1.1.1.1.3 NAME 'homeDirectory' EQUALITY caseExactIA5Match SYNTAX 1.3.6.1.4.1.1466.115.121.1.26 SINGLE-VALUE )
attributetype ( 1.3.6.1.1.1.1.12 NAME 'memberUid' EQUALITY caseExactMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
objectclass ( 1.3.6.1.1.1.2.0 NAME 'posixAccount' SUP top AUXILIARY MUST ( cn $ uid $ uidNumber $ gidNumber $ homeDirectory ) )
objectclass ( 1.3.6.1.1.1.2.2 NAME 'posixGroup' SUP top AUXILIARY MUST gidNumber MAY memberUid )
`;

/** Stops a process. kill(2) returns before the last of its threads has noticed. */
function freeze(pid: number): void {
  process.kill(pid, 'SIGSTOP');
  const isStopped = (task: string): boolean => /^\d+ \(.*\) [Tt] /s.test(readFileSync(`/proc/${pid}/task/${task}/stat`, 'latin1'));
  while (!readdirSync(`/proc/${pid}/task`).every(isStopped));
}
