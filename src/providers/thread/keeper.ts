/**
 * Keeps a third-party provider in a thread of its own, so that its endless loops, leaks, stray errors and process.exit() end that thread and
 * not the service. Measured on Node.js 20, two cores: a lookup through the thread takes 33 µs where the call itself takes 2.5, and 100 at a
 * time come to 25,000 a second; a thread takes 6.5 MiB and 50 ms to start. A process of its own would hold out against native code that hangs
 * and against one allocation past the heap's limit as well, for 40 MiB each.
 * @module
 */
import { milliseconds } from '../../support/clock.js';
import { ProviderError } from '../../support/errors.js';
import type { Logger } from '../../support/log.js';
import { type Call, type Generation, startGeneration } from './generation.js';
import type { CreateOrder, Loaded, Methods, Question, ThreadStart } from './messages.js';

/** Bounds of time and number, in milliseconds. */
export interface KeeperLimits {
  /** What a module may take to load, and a provider to be made. */
  readonly start: number;
  /** What close() of a provider may take. */
  readonly close: number;
  /** Until the next start, when a thread has died at its start; doubled each time. */
  readonly firstPause: number;
  readonly longestPause: number;
  /** The age from which a thread that has ended is replaced before anybody asks, so that one that ends at once isn't for ever. */
  readonly longLife: number;
  /** The age from which a thread is replaced for the memory that it keeps: a provider may need that. */
  readonly weighable: number;
  /** How many threads may hang in native code, which nothing can end, beside a new one. */
  readonly hanging: number;
}

const LIMITS: KeeperLimits = {
  start: 10_000,
  close: 300,
  firstPause: 100,
  longestPause: 30_000,
  longLife: 1000,
  weighable: 60_000,
  hanging: 4,
};

/** A third-party provider's threads: one at a time, and those that still answer what they were asked, or don't come to an end. */
export interface Keeper {
  /**
   * Starts the first thread.
   * @throws Error that says why the module can't be used
   */
  load(): Promise<Loaded>;
  /**
   * Makes the provider, after `load`.
   * @throws Error that says why it can't be made
   */
  create(order: CreateOrder): Promise<Methods>;
  /** @throws Error of the provider, or about its thread; what the signal was aborted with */
  call(question: Question, signal: AbortSignal): Promise<unknown>;
  /** Waits for the calls, has the provider close, and ends the threads. */
  close(): Promise<void>;
}

/** A keeper without a thread. */
export function createKeeper(start: ThreadStart, log: Logger, given: Partial<KeeperLimits> = {}): Keeper {
  const limits: KeeperLimits = { ...LIMITS, ...given };
  let name = start.given;
  let creation: CreateOrder | undefined;
  let current: Generation | undefined;
  let ready = false;
  let startTimer: NodeJS.Timeout | undefined;
  /** What waits for a thread that starts. */
  const waiting = new Set<Call>();
  /** Threads that are asked nothing more. */
  const retired = new Set<Generation>();
  const ending = new Set<Promise<void>>();
  let pause = 0;
  let pausedUntil = 0;
  let fault = '';
  /** Who waits for `load` or `create`. */
  let opening: { loaded?(loaded: Loaded): void; created?(methods: Methods): void; reject(reason: Error): void } | undefined;
  let closing: Promise<void> | undefined;
  let onSettled: () => void = () => {};

  function begin(): void {
    if (ending.size >= limits.hanging) {
      failStart(`${ending.size} threads of it hang in native code, which nothing can end; restart the service`);
      return;
    }
    ready = false;
    const generation: Generation = startGeneration(start, log, {
      name: () => name,
      loaded(loaded) {
        if (generation !== current) return;
        clearTimeout(startTimer);
        ({ name } = loaded);
        if (creation !== undefined) make(generation, creation);
        if (opening?.loaded === undefined) return;
        opening.loaded(loaded);
        opening = undefined;
      },
      created(methods) {
        if (generation !== current) return;
        clearTimeout(startTimer);
        ready = true;
        pause = 0;
        opening?.created?.(methods);
        opening = undefined;
        for (const call of waiting) generation.ask(call);
        waiting.clear();
      },
      refused(reason) {
        if (generation === current) failStart(reason, '');
      },
      ended: (reason) => lose(generation, reason),
      overdue: (call, alive) => (alive ? ignored(generation, call) : stuck(generation, call)),
      settled() {
        if (retired.has(generation) && generation.busy === 0) end(generation);
        onSettled();
      },
      heavy(bytes) {
        if (generation !== current || !ready || milliseconds() - generation.since < limits.weighable) return;
        log.error(`provider ${name}: keeps ${Math.round(bytes / 2 ** 20)} MiB of memory (a leak?); its thread is replaced`);
        replace(generation);
      },
    });
    current = generation;
    limitStart('the module did not load');
  }

  function limitStart(what: string): void {
    clearTimeout(startTimer);
    startTimer = setTimeout(() => failStart(`${what} within ${limits.start} ms`), limits.start);
  }

  function make(generation: Generation, order: CreateOrder): void {
    limitStart('create() did not end');
    generation.create(order);
  }

  /** Only while the current thread starts. `where` is for those who wait for `load` or `create`. */
  function failStart(reason: string, where = `${start.naming.place}: "${start.given}": `): void {
    clearTimeout(startTimer);
    if (current !== undefined) end(current);
    current = undefined;
    const calls = [...waiting];
    waiting.clear();
    if (opening !== undefined) {
      opening.reject(new Error(where + reason));
      opening = undefined;
      return;
    }
    pause = Math.min(limits.longestPause, pause === 0 ? limits.firstPause : pause * 2);
    pausedUntil = milliseconds() + pause;
    fault = `its thread can't be started: ${reason}`;
    log.error(`provider ${name}: ${fault}; not tried again for ${pause} ms`);
    for (const call of calls) call.reject(new ProviderError(name, fault));
  }

  /** Terminates a thread. Returns the calls that still have time. */
  function end(generation: Generation): readonly Call[] {
    if (generation === current) current = undefined;
    retired.delete(generation);
    const { left, gone } = generation.end();
    ending.add(gone);
    void gone.then(() => ending.delete(gone));
    return left;
  }

  function lose(generation: Generation, reason: string): void {
    if (generation === current && !ready) {
      failStart(reason);
      return;
    }
    const left = end(generation);
    log.error(`provider ${name}: its thread ended: ${reason}; ${asks(left)}`);
    if (milliseconds() - generation.since >= limits.longLife) renew();
    askAgain(left, 'its thread ended');
  }

  function stuck(generation: Generation, { question }: Call): void {
    const left = end(generation);
    log.error(`provider ${name}: ${described(question)} blocked its thread, which was terminated; ${asks(left)}`);
    renew();
    askAgain(left, 'its thread was blocked, and had to be terminated');
  }

  function ignored(generation: Generation, { question }: Call): void {
    if (generation !== current) return;
    log.error(`provider ${name}: ${described(question)} ignores its AbortSignal; its thread is replaced`);
    replace(generation);
  }

  /** The next calls are another thread's; what this one has in hand it may finish. */
  function replace(generation: Generation): void {
    current = undefined;
    retired.add(generation);
    if (generation.busy === 0) end(generation);
    renew();
  }

  function renew(): void {
    if (current === undefined && closing === undefined) begin();
  }

  /** Once: what ends each thread that it comes into must not go on for ever. */
  function askAgain(calls: readonly Call[], why: string): void {
    for (const call of calls) {
      if (call.tried) call.reject(new ProviderError(name, `${why}, for the second time under this lookup`));
      else place(Object.assign(call, { tried: true }));
    }
  }

  function place(call: Call): void {
    if (current === undefined && milliseconds() < pausedUntil) {
      call.reject(new ProviderError(name, fault));
      return;
    }
    waiting.add(call);
    if (current === undefined) begin();
    else if (ready) {
      waiting.delete(call);
      current.ask(call);
    }
  }

  async function close(): Promise<void> {
    while ([current, ...retired].some((generation) => generation !== undefined && generation.busy > 0) || waiting.size > 0) {
      await new Promise<void>((resolve) => {
        onSettled = resolve;
      });
    }
    clearTimeout(startTimer);
    opening?.reject(new Error('closed'));
    if (current !== undefined && ready) {
      const failure = await current.close(limits.close);
      if (failure !== undefined) log.warning(`provider ${name}: ${failure}; its thread is terminated`);
    }
    for (const generation of [current, ...retired]) if (generation !== undefined) end(generation);
    await Promise.all(ending);
  }

  return {
    load() {
      return new Promise((resolve, reject) => {
        opening = { loaded: resolve, reject };
        begin();
      });
    },
    create(order) {
      creation = order;
      return new Promise((resolve, reject) => {
        opening = { created: resolve, reject };
        if (current === undefined) begin();
        else make(current, order);
      });
    },
    async call(question, signal) {
      signal.throwIfAborted();
      if (closing !== undefined) throw new ProviderError(name, 'is closed');
      return new Promise((resolve, reject) => {
        const onAbort = (): void => {
          waiting.delete(call);
          reject(signal.reason);
          onSettled();
        };
        const done = (): void => {
          signal.removeEventListener('abort', onAbort);
          onSettled();
        };
        const call: Call = {
          question,
          signal,
          tried: false,
          resolve(value) {
            done();
            resolve(value);
          },
          reject(reason) {
            done();
            reject(reason);
          },
        };
        signal.addEventListener('abort', onAbort, { once: true });
        place(call);
      });
    },
    close() {
      closing ??= close();
      return closing;
    },
  };
}

function described(question: Question): string {
  if (question.method === 'check') return 'check()';
  return `${question.method === 'cacheKey' ? 'cacheKey()' : 'the lookup'} of ${question.user.name}`;
}

function asks({ length }: readonly Call[]): string {
  return `a new one answers ${length === 0 ? 'from now on' : length === 1 ? 'the lookup that was in it' : `the ${length} lookups that were in it`}`;
}
