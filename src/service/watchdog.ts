/**
 * The last resort against an event loop that stands still: a service that is alive and silent holds each login for 90 s (auth process) or 60 s
 * (post-login), where one that is gone is asked again a moment later, from its next process.
 *
 * Measured on Node.js 20: 5.6 MiB of memory, and 1 ms of processor time a second, for a limit of 10 s. Without a thread nothing in the process
 * could notice, and systemd's WatchdogSec= is not there under Dovecot's master.
 * @module
 */
import { Worker } from 'node:worker_threads';
import { builtFile } from '../support/built-file.js';

/** A running watch. */
export interface Watchdog {
  stop(): void;
}

/** What the thread starts with. */
export interface WatchdogStart {
  /** One 32-bit number, which goes up for as long as the event loop turns. */
  readonly beats: SharedArrayBuffer;
  /** Milliseconds from one look at it to the next. */
  readonly period: number;
  /** How many looks at the same number are too many. */
  readonly most: number;
  readonly lastLine: LogLine;
}

/** A line as the log has it, for a thread that writes it by itself: nobody else does any more. */
export interface LogLine {
  readonly descriptor: number;
  readonly text: string;
}

/** Looks within the limit. Many, because one may come late, and each is counted as one however late it is: see watchdog-thread.ts. */
const LOOKS = 10;

/** Milliseconds. Garbage collections and slow disks stop an event loop for a part of this, on a busy machine. */
const SHORTEST_LIMIT = 2000;

/**
 * Has a thread of its own end this process, by SIGKILL and after a last line in the log, once its event loop has stood still for `limit`
 * milliseconds, two seconds at least. Time in which the whole process or machine was stopped doesn't count.
 */
export function startWatchdog(limit: number, lastLine: LogLine): Watchdog {
  const period = Math.ceil(Math.max(limit, SHORTEST_LIMIT) / LOOKS);
  const beats = new SharedArrayBuffer(4);
  const counter = new Int32Array(beats);
  // Twice as often as is looked: one beat that is late is no news.
  const timer = setInterval(() => Atomics.add(counter, 0, 1), Math.ceil(period / 2));
  timer.unref();
  const start: WatchdogStart = { beats, period, most: LOOKS, lastLine };
  const worker = new Worker(builtFile('watchdog-thread.cjs', import.meta.url), {
    name: 'watchdog',
    workerData: start,
    resourceLimits: { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1, codeRangeSizeMb: 1 },
  });
  worker.on('error', (error) => process.emitWarning(`the watchdog has ended: ${error.message}`));
  worker.unref();
  return {
    stop() {
      clearInterval(timer);
      void worker.terminate();
    },
  };
}
