import type { ChildProcess } from 'node:child_process';

/**
 * Calls back when a process that was killed is gone; at once if it is already, or never came to be. One that can't be killed (it waits for
 * a file system that hangs) still counts among those that run.
 */
export function whenGone(child: ChildProcess, then: () => void): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) then();
  else child.once('exit', then);
}
