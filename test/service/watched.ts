/**
 * A program for the tests of the watchdog: has itself watched, and does what its argument says.
 * @module
 */
import { startWatchdog } from '../../src/service/watchdog.js';
import { stderrLine } from '../../src/terminal/stderr.js';

const watchdog = startWatchdog(2000, stderrLine('error', 'the event loop stands still'));

/** Keeps the event loop from turning. */
function block(milliseconds: number): void {
  for (const end = Date.now() + milliseconds; Date.now() < end; );
}

function done(): void {
  process.stdout.write('done\n');
}

const DEEDS: Readonly<Record<string, () => void>> = {
  loop: () => block(60_000),
  work() {
    let pieces = 0;
    const piece = (): void => {
      block(500);
      if (++pieces < 12) setTimeout(piece, 0);
      else done();
    };
    piece();
  },
  wait() {
    const timer = setInterval(() => {}, 1000);
    process.once('SIGUSR2', () => {
      clearInterval(timer);
      done();
    });
    process.stdout.write('ready\n');
  },
  unwatched() {
    watchdog.stop();
    setTimeout(() => {
      block(4000);
      done();
    }, 0);
  },
  nothing: () => {},
};
// The thread has to be there before nothing else is done any more.
setTimeout(() => DEEDS[process.argv[2] ?? '']?.(), process.argv[2] === 'nothing' ? 0 : 500);
