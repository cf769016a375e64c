/**
 * The program of the watchdog's thread, see watchdog.ts.
 * @module
 */
import { writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import type { WatchdogStart } from './watchdog.js';

const { beats, period, most, lastLine } = workerData as WatchdogStart;
const counter = new Int32Array(beats);
const bed = new Int32Array(new SharedArrayBuffer(4));
let seen = Atomics.load(counter, 0);

// Looks are counted, not milliseconds: where the process or the machine was stopped (SIGSTOP, a suspended machine), this thread was, too,
// and it comes to one look however long that was; by the next one the event loop has beaten, if it can.
for (let same = 0; same < most; ) {
  Atomics.wait(bed, 0, 0, period);
  const now = Atomics.load(counter, 0);
  same = now === seen ? same + 1 : 0;
  seen = now;
}
try {
  writeSync(lastLine.descriptor, lastLine.text);
} catch {
  // A log that is gone or full must not keep the process.
}
process.kill(process.pid, 'SIGKILL');
