import { milliseconds } from '../../support/clock.js';
import { explain } from '../../support/errors.js';
import type { Logger } from '../../support/log.js';
import { startThread } from './live-thread.js';
import type { CreateOrder, Loaded, Methods, Question, Report, ThreadStart } from './messages.js';

/** Milliseconds from the abort of a call until its thread counts as one that stands still, or as one whose provider ignores the abort. */
export const GRACE = 250;

/** A question that somebody waits for the answer of. */
export interface Call {
  readonly question: Question;
  readonly signal: AbortSignal;
  /** Whether a thread was terminated under it. */
  tried: boolean;
  resolve(value: unknown): void;
  reject(reason: unknown): void;
}

/** What is heard of a thread. */
export interface GenerationEvents {
  /** What the provider is called in messages. */
  name(): string;
  loaded(loaded: Loaded): void;
  created(methods: Methods): void;
  /** The module can't be loaded, or no provider be made of it. */
  refused(reason: string): void;
  /** The thread has ended by itself. */
  ended(reason: string): void;
  /** A call hasn't ended {@link GRACE} after its abort. `alive`: the thread has heard of the abort, so that it is the provider that ignores it. */
  overdue(call: Call, alive: boolean): void;
  /** One call less is waited for. */
  settled(): void;
  /** The thread keeps so many bytes of memory, which is more than it may. */
  heavy(bytes: number): void;
}

/** One thread, and what it was asked. */
export interface Generation {
  /** When it was started, by `milliseconds()`. */
  readonly since: number;
  create(order: CreateOrder): void;
  ask(call: Call): void;
  /** The calls that have ended or still may, those that ignore their abort left aside. */
  readonly busy: number;
  /** Has the provider close. Resolves to what went wrong. */
  close(limit: number): Promise<string | undefined>;
  /** Terminates the thread, and gives back the calls that somebody still waits for. */
  end(): { readonly left: readonly Call[]; readonly gone: Promise<void> };
}

interface Running {
  readonly call: Call;
  readonly onAbort: () => void;
  grace?: NodeJS.Timeout;
  /** Whether the thread has heard of the abort. */
  alive: boolean;
  overdue: boolean;
}

/** Starts a thread. */
export function startGeneration(start: ThreadStart, log: Logger, on: GenerationEvents): Generation {
  const calls = new Map<number, Running>();
  let lastId = 0;
  let onClosed: (failure?: string) => void = () => {};

  function receive(report: Report): void {
    if (report.kind === 'answer') settle(report.id, (call) => call.resolve(report.value));
    else if (report.kind === 'failure') settle(report.id, (call) => call.reject(new Error(report.reason)));
    else if (report.kind === 'aborted') {
      const running = calls.get(report.id);
      if (running !== undefined) running.alive = true;
    } else if (report.kind === 'log') {
      const { level, message } = report;
      if (level === 'debug') log.debug(() => message);
      else log[level](message);
    } else if (report.kind === 'closed') onClosed(report.failure);
    else if (report.kind === 'heavy') on.heavy(report.bytes);
    else if (report.kind === 'refused') on.refused(report.reason);
    else if (report.kind === 'loaded') on.loaded(report);
    else on.created(report);
  }

  function settle(id: number, how: (call: Call) => void): void {
    const running = calls.get(id);
    if (running === undefined) return;
    calls.delete(id);
    release(running);
    how(running.call);
    on.settled();
  }

  function release({ call, onAbort, grace }: Running): void {
    clearTimeout(grace);
    call.signal.removeEventListener('abort', onAbort);
  }

  function abort(id: number, running: Running): void {
    thread.send({ kind: 'abort', id, reason: explain(running.call.signal.reason) });
    running.grace = setTimeout(() => {
      running.overdue = true;
      on.overdue(running.call, running.alive);
      on.settled();
    }, GRACE);
  }

  const thread = startThread(start, log, { report: receive, ended: on.ended, name: on.name });

  return {
    since: milliseconds(),
    create: (order) => thread.send(order),
    ask(call) {
      const id = ++lastId;
      const running: Running = { call, onAbort: () => abort(id, running), alive: false, overdue: false };
      calls.set(id, running);
      call.signal.addEventListener('abort', running.onAbort, { once: true });
      thread.send({ kind: 'call', id, question: call.question });
    },
    get busy() {
      return [...calls.values()].filter(({ overdue }) => !overdue).length;
    },
    close(limit) {
      return new Promise((resolve) => {
        const timer = setTimeout(() => resolve(`close() did not end within ${limit} ms`), limit);
        onClosed = (failure) => {
          clearTimeout(timer);
          resolve(failure);
        };
        thread.send({ kind: 'close' });
      });
    },
    end() {
      const left = [...calls.values()];
      calls.clear();
      for (const running of left) release(running);
      return { left: left.map(({ call }) => call).filter(({ signal }) => !signal.aborted), gone: thread.end() };
    },
  };
}
