import { type ChildProcess, execFile } from 'node:child_process';
import { existsSync } from 'node:fs';

/**
 * Calls back when a process that was killed is gone; at once if it is already, or never came to be. One that can't be killed (it waits for
 * a file system that hangs) still counts among those that run.
 */
export function whenGone(child: ChildProcess, then: () => void): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) then();
  else child.once('exit', then);
}

/** The words before a program that have the kernel kill it when this process dies; none until `bindChildren` has found them. */
let binding: readonly string[] = [];

/**
 * Looks for the program that binds others to the life of this process: util-linux's setpriv, whose versions before 2.33 and whose namesake in
 * busybox can't. For a process that stays: when that is killed, what hangs in a name service would hang on for good. Costs each program 1 to
 * 2 ms of processor time.
 */
export async function bindChildren(): Promise<void> {
  const file = ['/usr/bin/setpriv', '/bin/setpriv'].find(existsSync);
  if (file === undefined) return;
  const words = [file, '--pdeathsig', 'KILL', '--'];
  const works = await new Promise<boolean>((resolve) =>
    execFile(file, [...words.slice(1), file, '--version'], (error) => resolve(error === null)),
  );
  if (works) binding = words;
}

/** A program and its words, bound to the life of this process if it is one that stays. */
export function bound(program: string, words: readonly string[]): readonly [string, ...string[]] {
  const [file, ...rest] = binding;
  return file === undefined ? [program, ...words] : [file, ...rest, program, ...words];
}
