/** The service under a supervisor that keeps its socket, as systemd and Dovecot's master do: killed, replaced, doubled, limited. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, copyFileSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { followLog, type LogFile } from '../support/log-file.js';
import { PROJECT } from '../support/project.js';
import { namespaceOf, processesOf, WORLD_PATH, type World } from '../support/world.js';
import { now } from './timeline.js';

/** What is known of a process. Bytes. */
export interface Usage {
  readonly memory: number;
  readonly descriptors: number;
}

/** A service, whichever process it is at a time. */
export interface Service {
  readonly socket: string;
  /** All that its processes have logged. */
  readonly log: LogFile;
  /** The supervisor, whose namespace has all that runs in this world. */
  readonly supervisor: number;
  /** The processes that serve, the oldest first. */
  readonly pids: readonly number[];
  /** The ends of processes that nobody asked for: when, and how. */
  readonly deaths: readonly { readonly at: number; readonly status: number; readonly expected: boolean }[];
  /** Starts one more, and waits until it serves; environment as `NAME=VALUE`. */
  startAnother(environment?: readonly string[]): Promise<number>;
  /** Starts another one, then ends those of before, politely. */
  replace(environment?: readonly string[]): Promise<void>;
  /** Ends one, and waits for that. */
  end(pid: number, signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Waits until there is a process that serves, started after the given count of "serves logins" lines. */
  served(since: number): Promise<void>;
  /** How many times a process has said that it serves. */
  readonly starts: number;
  /** Sends a signal to all that run. */
  signal(signal: NodeJS.Signals): void;
  /** Sets limits of the processes that run, as prlimit(1) writes them. Those that end meanwhile don't matter. */
  limit(words: readonly string[]): void;
  /** Of the newest process. */
  usage(): Usage | undefined;
  /** Ends it all; the command lines of processes that are still there then. */
  close(): Promise<readonly string[]>;
}

const SERVES = /serves logins/;

/** Shell: mounts a small file system on $1, and execs the rest. */
const WITH_SMALL_DISK = 'mount -t tmpfs -o size=128k,mode=755 none "$1" && shift && exec "$@"';

/** Starts a service on a socket in a world, where the directory `small` is a file system of its own with little room. */
export async function startService(
  world: World,
  command: string,
  config: string,
  { small, environment }: { readonly small: string; readonly environment: NodeJS.ProcessEnv },
): Promise<Service> {
  const socket = join(world.directory, 'service');
  const log = followLog(join(world.directory, 'service.log'));
  // The other root directory doesn't have this project.
  const program = join(world.directory, 'supervisor.pl');
  copyFileSync(join(PROJECT, 'test/soak/supervisor.pl'), program);
  const out = openSync(join(world.directory, 'service.log'), 'a');
  const child = world.spawn(['sh', '-c', WITH_SMALL_DISK, 'sh', small, 'perl', program, socket, command, 'serve', '-c', config], {
    stdio: ['pipe', 'pipe', out],
    env: { PATH: WORLD_PATH, ...environment },
  });
  closeSync(out);
  const pids: number[] = [];
  const deaths: { at: number; status: number; expected: boolean }[] = [];
  const asked = new Set<number>();
  const wake: (() => void)[] = [];
  const lines = createInterface({ input: child.stdout ?? process.stdin });
  lines.on('line', (line) => {
    const [what, pid, status] = line.split(' ');
    if (what === 'started') pids.push(Number(pid));
    else if (pids.includes(Number(pid))) {
      pids.splice(pids.indexOf(Number(pid)), 1);
      deaths.push({ at: now(), status: Number(status), expected: asked.has(Number(pid)) });
    }
    for (const each of wake.splice(0)) each();
  });
  const until = async (test: () => boolean): Promise<void> => {
    while (!test()) await new Promise<void>((resolve) => wake.push(resolve));
  };
  let read = 0;
  let found = 0;
  const starts = (): number => {
    for (; read < log.lines.length; read++) if (SERVES.test(log.lines[read] ?? '')) found++;
    return found;
  };
  const served = (since: number): Promise<void> =>
    log.until(() => (starts() > since ? true : undefined), 'start of a service').then(() => {});
  const kill = (pid: number, signal: NodeJS.Signals): void => {
    try {
      process.kill(pid, signal);
    } catch {
      // It has just ended by itself.
    }
  };
  const ended = once(child, 'exit').then(() => log.close('the supervisor has ended'));
  const supervisor = child.pid ?? 0;
  await served(0);
  const namespace = (await namespaceOf(supervisor)) ?? '';
  const service: Service = {
    socket,
    log,
    supervisor,
    pids,
    deaths,
    async startAnother(environment = []) {
      for (;;) {
        const before = starts();
        const known = new Set(pids);
        child.stdin?.write(`${environment.join(' ')}\n`);
        await until(() => pids.some((pid) => !known.has(pid)));
        const pid = pids.find((each) => !known.has(each)) ?? 0;
        await Promise.race([served(before), until(() => !pids.includes(pid))]);
        // A limit may have ended it before it served, and the supervisor replaces none as long as there is another.
        if (pids.includes(pid)) return pid;
      }
    },
    async replace(environment) {
      const old = [...pids];
      await service.startAnother(environment);
      await Promise.all(old.map((pid) => service.end(pid, 'SIGTERM')));
    },
    async end(pid, signal) {
      asked.add(pid);
      kill(pid, signal);
      await until(() => !pids.includes(pid));
    },
    served,
    get starts() {
      return starts();
    },
    signal(signal) {
      for (const pid of pids) kill(pid, signal);
    },
    limit(words) {
      for (const pid of pids) {
        try {
          execFileSync('prlimit', ['--pid', String(pid), ...words], { stdio: 'ignore' });
        } catch {
          // It has just ended by itself.
        }
      }
    },
    usage() {
      const pid = pids.at(-1);
      try {
        const memory = Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) * 1024;
        return { memory, descriptors: readdirSync(`/proc/${pid}/fd`).length };
      } catch {
        return undefined;
      }
    },
    async close() {
      child.stdin?.end();
      await ended;
      const left = (await processesOf(namespace)).filter(({ pid }) => pid !== process.pid);
      for (const { pid } of left) kill(pid, 'SIGKILL');
      return left.map(({ command: line }) => line);
    },
  };
  return service;
}
