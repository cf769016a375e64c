import { fstatSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { endianness } from 'node:os';

/*
 * What Dovecot's master expects of the processes that it starts (lib-master/master-interface.h, master-service.c). The process
 * inherits its sockets and two pipes under fixed numbers.
 */

/** The pipe for status reports. */
const STATUS_FD = 5;
/** A pipe that nobody writes or reads: its other end closes when the master wants this process to end, or is gone. */
const DEAD_FD = 6;
/** Listening sockets start at 7 in 2.3, at 8 in 2.4.1, at 9 in 2.4.4, where the lower numbers may hold other things. */
const LISTEN_FD_FIRST = 7;
const LISTEN_FD_LAST = 15;

/** What the master says in the environment. */
export interface Master {
  /** Tells this process from an earlier one with the same process id. */
  readonly generation: number;
  /** How many clients the master counts on this process to serve at a time. */
  readonly clientLimit: number;
  /** Descriptors of the listening sockets. */
  readonly listeners: readonly number[];
  /** A client that the master has accepted already (2.4.4, with client_limit = 1). */
  readonly accepted: number | undefined;
}

/** The master that started this process, if one did. */
export function findMaster(env: NodeJS.ProcessEnv, isSocket: (fd: number) => boolean = isSocketDescriptor): Master | undefined {
  if (env.DOVECOT_CHILD_PROCESS === undefined) return undefined;
  const acceptedBy = Number(env.DOVECOT_ACCEPTED_CLIENT_LISTENER_FD ?? -1);
  const sockets: number[] = [];
  for (let fd = LISTEN_FD_FIRST; fd <= LISTEN_FD_LAST; fd++) if (isSocket(fd)) sockets.push(fd);
  // An accepted client comes right before the listeners, and only if the variable is there.
  const accepted = acceptedBy >= 0 && sockets.length > 1 ? sockets.shift() : undefined;
  return {
    generation: Number(env.GENERATION ?? 0),
    clientLimit: Number(env.CLIENT_LIMIT ?? 1),
    listeners: sockets.slice(0, Number(env.SOCKET_COUNT ?? 1)),
    accepted,
  };
}

/** Whether a descriptor is open and a socket. */
export function isSocketDescriptor(fd: number): boolean {
  try {
    return fstatSync(fd).isSocket();
  } catch {
    return false;
  }
}

/** One report: int32 pid, uint32 generation, uint32 free slots, in the machine's byte order (struct master_status). */
export function statusReport(pid: number, generation: number, free: number): Buffer {
  const report = Buffer.alloc(12);
  const words = [pid, generation, free] as const;
  for (const [index, word] of words.entries()) {
    if (endianness() === 'LE') report.writeUInt32LE(word, index * 4);
    else report.writeUInt32BE(word, index * 4);
  }
  return report;
}

/** The least time between two reports that nothing depends on, in milliseconds; Dovecot's own processes keep to a second. */
const REPORT_INTERVAL = 1000;
/** How soon a report is tried again when the pipe is full, in milliseconds. */
const RETRY = 20;

/** Keeps the master informed about the number of free slots. */
export interface StatusReporter {
  /** Reports even what was reported before: the master has asked, by SIGINT. */
  repeat(): void;
  /** Call it whenever the number changes: the first time, and whenever it becomes or stops being 0, the report is sent at once. */
  update(free: number): void;
}

/** `send` throws what write(2) fails with. */
export function createStatusReporter(
  { generation }: Pick<Master, 'generation'>,
  send: (report: Buffer) => void = (report) => void writeSync(STATUS_FD, report),
): StatusReporter {
  let reported: number | undefined;
  let latest = 0;
  let timer: NodeJS.Timeout | undefined;
  let gone = false;

  function report(): void {
    timer = undefined;
    if (latest === reported || gone) return;
    try {
      send(statusReport(process.pid, generation, latest));
      reported = latest;
      later(REPORT_INTERVAL);
    } catch (error) {
      // A full pipe: the master is busy. Anything else: it is gone, and the other pipe says so.
      if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') later(RETRY);
      else gone = true;
    }
  }

  function later(delay: number): void {
    timer = setTimeout(report, delay);
    timer.unref();
  }

  return {
    repeat() {
      clearTimeout(timer);
      reported = undefined;
      report();
    },
    update(free) {
      latest = free;
      if (timer === undefined || reported === undefined || (free === 0) !== (reported === 0)) {
        clearTimeout(timer);
        report();
      }
    },
  };
}

/** More than a pipe ever holds (its capacity is 64 KiB, /proc/sys/fs/pipe-max-size is 1 MiB). */
const MORE_THAN_A_PIPE = 1024 * 1024 + 1;

/**
 * Calls back once, when the master wants this process to end: after a reload or a stop, or because the master died. No signal
 * says so.
 *
 * Node can't poll the writing end of a pipe for its reader's end. But a write that is too long for the pipe stays under way,
 * and fails when the reader goes.
 */
export function watchMaster(onGone: () => void, fd: number = DEAD_FD): { stop(): void } {
  const pipe = new Socket({ fd, readable: false, writable: true });
  let gone = false;
  pipe.on('error', () => {
    if (gone) return;
    gone = true;
    onGone();
  });
  pipe.unref();
  pipe.write(Buffer.alloc(MORE_THAN_A_PIPE));
  return {
    stop() {
      gone = true;
      // A write under way keeps a process alive, whatever unref() was told.
      pipe.destroy();
    },
  };
}
