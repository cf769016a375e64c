import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { World } from './world.js';

/** A program that goes on until it is ended, and logs to stderr. */
export interface Daemon {
  readonly child: ChildProcess;
  /** Resolves once its log has a text. */
  said(text: string): Promise<void>;
  log(): string;
  /** How it ends: its status, or the signal. */
  ended(): Promise<number | string | null>;
}

/** The daemons of a suite. */
export interface Daemons {
  start(argv: readonly string[]): Daemon;
  /** Kills those that run. */
  kill(): Promise<void>;
}

/** `world` is where they run. */
export function createDaemons(world: () => World): Daemons {
  const running = new Set<Daemon>();

  function start(argv: readonly string[]): Daemon {
    const child = world().spawn(argv, { stdio: ['ignore', 'ignore', 'pipe'] });
    let log = '';
    let check = (): void => {};
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      log += text;
      check();
    });
    const daemon: Daemon = {
      child,
      log: () => log,
      said: (text) =>
        new Promise((resolve, reject) => {
          check = () => {
            if (log.includes(text)) resolve();
          };
          child.on('close', () => reject(new Error(`ended without saying "${text}": ${log}`)));
          check();
        }),
      async ended() {
        // Not "exit", which comes before the last that it wrote has been read.
        if (running.has(daemon)) await once(child, 'close');
        return child.exitCode ?? child.signalCode;
      },
    };
    running.add(daemon);
    child.on('close', () => running.delete(daemon));
    return daemon;
  }

  return {
    start,
    async kill() {
      for (const { child } of running) child.kill('SIGKILL');
      await Promise.all([...running].map(({ ended }) => ended()));
    },
  };
}
