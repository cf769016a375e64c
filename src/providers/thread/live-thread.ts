import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { builtFile } from '../../support/built-file.js';
import { explain } from '../../support/errors.js';
import type { Logger } from '../../support/log.js';
import { createLogLimit } from './log-limit.js';
import type { Order, Report, ThreadData, ThreadStart } from './messages.js';

/** A running thread. */
export interface LiveThread {
  send(order: Order): void;
  /** Terminates it, and resolves when it is gone: never, if it hangs in native code. */
  end(): Promise<void>;
}

/** What is heard of a thread. */
export interface ThreadEvents {
  report(report: Report): void;
  /** It has ended by itself. */
  ended(reason: string): void;
  /** What the provider is called in messages. */
  name(): string;
}

/**
 * Megabytes of heap at which V8 ends the thread. Twice what a keeper tolerates (HEAVY), because V8 ends the whole process, limit or not, when
 * one allocation doesn't fit between the two: a Map that grows makes such.
 */
const HEAP_LIMIT = 512;

/** Starts a thread. What its code writes to standard output or standard error goes to the log. */
export function startThread(start: ThreadStart, log: Logger, on: ThreadEvents): LiveThread {
  const { port1: port, port2 } = new MessageChannel();
  const workerData: ThreadData = { ...start, port: port2 };
  const worker = new Worker(builtFile('provider-thread.cjs', import.meta.url), {
    name: `provider ${start.given}`,
    workerData,
    transferList: [port2],
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_LIMIT, maxYoungGenerationSizeMb: 16 },
  });
  let ending: Promise<void> | undefined;
  let reason: string | undefined;
  port.on('message', (report: Report) => on.report(report));
  port.on('messageerror', (error) => log.error(`provider ${on.name()}: a message of its thread can't be read: ${explain(error)}`));
  worker.on('error', (error: NodeJS.ErrnoException) => {
    reason = error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? `out of memory (more than ${HEAP_LIMIT} MiB): a leak?` : explain(error);
  });
  const gone = new Promise<void>((resolve) => {
    worker.on('exit', (status) => {
      // What it said at the end comes by a way of its own.
      for (let last = receiveMessageOnPort(port); last !== undefined; last = receiveMessageOnPort(port)) on.report(last.message as Report);
      port.close();
      resolve();
      if (ending === undefined) on.ended(reason ?? `its code called process.exit(${status})`);
    });
  });

  const mayLog = createLogLimit((count) =>
    log.warning(`provider ${on.name()}: ${count} more writes to its standard output or standard error within a second were dropped`),
  );
  for (const [stream, title] of [[worker.stdout, 'standard output'] as const, [worker.stderr, 'standard error'] as const]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      for (const line of text.split('\n')) {
        if (line.trim() !== '' && mayLog()) log.warning(`provider ${on.name()} wrote to ${title}: ${line.slice(0, 1000)}`);
      }
    });
  }

  return {
    send: (order) => port.postMessage(order),
    end() {
      ending ??= worker.terminate().then(() => gone);
      return ending;
    },
  };
}
