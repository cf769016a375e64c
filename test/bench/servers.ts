import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { VERSION_LINE } from '../../src/doors/post-login/protocol.js';
import { READER_DN, type Slapd } from '../support/slapd.js';
import type { Contestant } from './measure.js';
import type { Figure } from './report.js';

/** A server at a UNIX socket, in a process of its own. */
export interface SocketServer {
  readonly path: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** The users that the services know. */
export const USERS: readonly string[] = Array.from({ length: 1000 }, (_, index) => `user${index}`);

const GROUPS = 1000;

/** The groups of a user: five of a thousand, in the order of the group file. */
export function groupsOf(user: string): readonly string[] {
  const number = Number.parseInt(user.slice(4), 10);
  const numbers = [1, 3, 7, 13, 29].map((factor) => (number * factor + factor) % GROUPS);
  return [...new Set(numbers)].sort((a, b) => a - b).map((index) => `group${index}`);
}

/** A group file with the groups of all users. */
function groupFile(): string {
  const members = new Map<string, string[]>();
  for (const user of USERS) for (const group of groupsOf(user)) members.set(group, [...(members.get(group) ?? []), user]);
  const lines = Array.from({ length: GROUPS }, (_, index) => `group${index}:x:${index}:${(members.get(`group${index}`) ?? []).join(',')}`);
  return `${lines.join('\n')}\n`;
}

/** What a service is to be like. */
export interface ServiceOptions {
  /** Tells the socket and the files from those of others in the same directory. */
  readonly name?: string;
  /** The lines of `[cache]`. Answers are kept for longer than any benchmark runs, unless given. */
  readonly cache?: string;
  /** The lines about providers. A group file of all users unless given: the least that a lookup can be. */
  readonly providers?: string;
}

/** Starts `acl-groups serve` on a socket of its own. */
export async function startService(
  command: string,
  directory: string,
  { name = 'service', cache = 'ttl = "24h"\n', providers = FILE_PROVIDER }: ServiceOptions = {},
): Promise<SocketServer> {
  const path = join(directory, `${name}.sock`);
  const config = join(directory, `${name}.toml`);
  writeFileSync(join(directory, 'groups'), groupFile(), { mode: 0o644 });
  // Tables come behind the key that stands alone.
  writeFileSync(config, `${providers}\n[cache]\n${cache}`, { mode: 0o600 });
  return startServer(command, ['serve', '-c', config, '-l', path], path, 'serves logins');
}

const FILE_PROVIDER = 'providers = ["file"]\n\n[provider.file]\npath = "groups"\n';

/** The lines for groups from a slapd's groupOfNames; keys of its table may follow. */
export function ldapProvider({ ldapi, directory }: Slapd): string {
  return `providers = ["ldap"]

[provider.ldap]
uris = ["${ldapi}"]
bind_dn = "${READER_DN}"
bind_password_file = "${join(directory, 'password')}"
user_base = "ou=people,dc=example,dc=test"
group_base = "ou=groups,dc=example,dc=test"
primary_group = false
`;
}

/** Starts the bare Node server. */
export async function startEcho(directory: string): Promise<SocketServer> {
  const path = join(directory, 'echo.sock');
  return startServer(process.execPath, [fileURLToPath(new URL('echo-server.js', import.meta.url)), path], path, 'listening');
}

/** Starts a program that listens on `path`, and says so by the text `ready` on stderr. */
export async function startServer(file: string, args: readonly string[], path: string, ready: string): Promise<SocketServer> {
  const child = spawn(file, args, { env: { PATH: '/usr/bin:/bin' }, stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(child, 'exit');
  let output = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-10_000);
      if (output.includes(ready)) resolve();
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`${file} ${args.join(' ')} ended: ${output}`)));
  });
  return {
    path,
    pid: child.pid ?? 0,
    stop: async () => {
      child.kill();
      await ended;
      // The next benchmark may have one of the same name.
      rmSync(path, { force: true });
    },
  };
}

/** What a mail process sends for the user of a number, with the fields that the passwd userdb gives. */
export function requestOf(user: number): string {
  const name = `user${user}`;
  const fields = ['uid=10001', 'gid=10001', `home=/home/${name}`, `system_groups_user=${name}`, `mail=maildir:/home/${name}/Maildir`];
  return `${VERSION_LINE}127.0.0.1\t127.0.0.1\t${name}\t${fields.join('\t')}\n`;
}

/** Asks like a mail process: connects, sends, reads one line, closes. Returns the milliseconds until the line was there. */
export function ask(path: string, request: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const socket = connect(path);
    socket.on('data', (chunk) => {
      if (chunk.at(-1) !== NEWLINE) return;
      resolve(performance.now() - started);
      socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('closed without a reply')));
    socket.write(request, 'latin1');
  });
}

const NEWLINE = 0x0a;

/** The resident set of a process, in bytes. */
export function residentMemory(pid: number): number {
  return statusOf(pid, 'VmRSS');
}

/** That part of a process's resident set that is no file's: other processes of Node.js share the 40 MB of its program. In bytes. */
export function privateMemory(pid: number): number {
  return statusOf(pid, 'RssAnon');
}

function statusOf(pid: number, key: string): number {
  const [, kilobytes] = new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

/** The clock tick of /proc, which is 10 ms on all of Node's Linux platforms (USER_HZ). */
const TICK = 10;

/** The processor time that a process has used, in milliseconds. */
export function processorTime(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The second field, the command's name in brackets, may hold anything.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK;
}

/** Watches how much processor time a server takes while a contestant's rounds run. */
export function watchProcessor(
  contestant: Contestant,
  { pid }: Pick<SocketServer, 'pid'>,
): { contestant: Contestant; figures(): readonly Figure[] } {
  let used = 0;
  let elapsed = 0;
  let operations = 0;
  return {
    contestant: {
      name: contestant.name,
      round: async () => {
        const before = processorTime(pid);
        const sample = await contestant.round();
        used += processorTime(pid) - before;
        elapsed += sample.elapsed;
        operations += sample.latencies.length;
        return sample;
      },
    },
    figures: () => [
      { label: 'CPU each', value: used / operations, unit: 'ms' },
      { label: 'server busy', value: (used / elapsed) * 100, unit: '%' },
    ],
  };
}
