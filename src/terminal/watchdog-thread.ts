/**
 * The program of the watchdog's thread, see service/watchdog.ts. Here, because it writes to the log by itself: nobody else does any more.
 * @module
 */
import { workerData } from 'node:worker_threads';
import type { WatchdogStart } from '../service/watchdog.js';
import { stderrLogger } from './stderr.js';

const { beats, period, most, message } = workerData as WatchdogStart;
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
stderrLogger().error(message);
process.kill(process.pid, 'SIGKILL');
