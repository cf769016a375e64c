import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NotPossible } from './benchmark.js';

/** A program to start, with the whole of its environment. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/** Runs a program to its end, and returns how long that took in milliseconds. Its output goes nowhere. */
export function timeProcess({ file, args, env }: Command): Promise<number> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(file, args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      const elapsed = performance.now() - started;
      if (code === 0) resolve(elapsed);
      else reject(new Error(`${file} ${args.join(' ')}: ended with ${signal ?? `status ${code}`}`));
    });
  });
}

const GNU_TIME = '/usr/bin/time';

/** The largest resident set of a program or of any process that it waited for (getrusage's ru_maxrss), in bytes. */
export async function peakMemory({ file, args, env }: Command, scratch: string): Promise<number> {
  if (!existsSync(GNU_TIME)) throw new NotPossible(`${GNU_TIME} is missing; install Debian's package time`);
  const out = join(scratch, 'peak-memory');
  await timeProcess({ file: GNU_TIME, args: ['-f', '%M', '-o', out, file, ...args], env });
  return Number(readFileSync(out, 'utf8')) * 1024;
}
