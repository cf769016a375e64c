import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { builtFile } from '../../support/built-file.js';
import { bound, whenGone } from '../../support/processes.js';
import type { AccountCalls } from './account-calls.js';
import type { WorkerAnswer, WorkerQuestion } from './account-worker.js';

/** Milliseconds that a worker may be without work; the last one stays. */
const IDLE_AFTER = 30_000;

/**
 * The path of the `userid` addon.
 * @throws Error when it isn't installed, or was installed without being compiled
 */
export function findUserid(): string {
  const require = createRequire(import.meta.url);
  const path = require.resolve('userid');
  require(path);
  return path;
}

/**
 * Calls the `userid` addon in processes of their own, one question at a time in each.
 *
 * Not in threads: getpwnam(3) and getgrgid(3) hold a lock of the whole process while they ask, and answer in memory of the whole process
 * (nss/getXXbyYY.c). One thread that hangs would hang them all, the process couldn't end, and two that don't could mix up their answers. A
 * process can be killed.
 */
export function openWorkers(addon: string, worker: string = builtFile('account-worker.cjs', import.meta.url)): AccountCalls {
  const all = new Set<ChildProcess>();
  const idle: ChildProcess[] = [];
  const killAll = (): void => {
    for (const child of all) child.kill('SIGKILL');
  };
  // A worker that hangs wouldn't notice that nobody is there any more.
  process.on('exit', killAll);

  function start(): ChildProcess {
    // Nothing may hold this process's standard output: the launcher reads it to its end.
    const [execPath, ...execArgv] = bound(process.execPath, process.execArgv);
    const child = fork(worker, [addon], { execPath, execArgv, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    all.add(child);
    const gone = (): void => {
      all.delete(child);
      remove(child);
    };
    child.on('exit', gone);
    child.on('error', gone);
    return child;
  }

  function remove(child: ChildProcess): void {
    const index = idle.indexOf(child);
    if (index >= 0) idle.splice(index, 1);
  }

  /** Keeps a worker for the next question. It doesn't keep this process from ending. */
  function release(child: ChildProcess): void {
    if (!all.has(child)) return;
    child.unref();
    child.channel?.unref();
    idle.push(child);
    setTimeout(() => {
      // The most recently used one is taken first, so that those not needed stay at the front.
      if (idle.length <= 1 || idle[0] !== child) return;
      // At once, not when it has ended: nobody may be given it any more, and the next one is at the front now.
      remove(child);
      child.kill('SIGKILL');
    }, IDLE_AFTER).unref();
  }

  async function ask(question: WorkerQuestion, signal: AbortSignal): Promise<WorkerAnswer> {
    signal.throwIfAborted();
    const child = idle.pop() ?? start();
    child.ref();
    child.channel?.ref();
    const answer = await new Promise<WorkerAnswer>((resolve, reject) => {
      const settle = (action: () => void): void => {
        child.off('message', answered).off('exit', ended).off('error', failed);
        signal.removeEventListener('abort', aborted);
        action();
      };
      const answered = (message: unknown): void => settle(() => resolve(message as WorkerAnswer));
      const failed = (error: Error): void =>
        settle(() => reject(new Error(`the process for account lookups: ${error.message}`, { cause: error })));
      const ended = (code: number | null, by: string | null): void =>
        settle(() => reject(new Error(`the process for account lookups ended with ${by ?? `status ${code}`}`)));
      const aborted = (): void =>
        settle(() => {
          child.kill('SIGKILL');
          whenGone(child, () => reject(signal.reason));
        });
      child.on('message', answered).on('exit', ended).on('error', failed);
      signal.addEventListener('abort', aborted, { once: true });
      child.send(question, (error) => {
        // A worker that ends says so by itself, and why.
        if (error && child.exitCode === null && child.signalCode === null && child.connected) failed(error);
      });
    });
    release(child);
    return answer;
  }

  return {
    async gids(account, signal) {
      const answer = await ask({ account }, signal);
      if ('gids' in answer) return answer.gids ?? undefined;
      throw unexpected(answer);
    },
    async groupnames(gids, signal) {
      const answer = await ask({ gids }, signal);
      if ('names' in answer) return new Map(answer.names);
      throw unexpected(answer);
    },
    async close() {
      process.off('exit', killAll);
      killAll();
    },
  };
}

function unexpected(answer: WorkerAnswer): Error {
  return new Error(`userid: ${'error' in answer ? answer.error : 'an answer to another question'}`);
}
