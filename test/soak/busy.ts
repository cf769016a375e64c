/** Whether the machine itself is too busy for anybody to keep to time limits: a fault like any other, and in the table like any other. */
import { Client } from 'ldapts';
import { PASSWORD, READER_DN } from '../support/slapd.js';
import { SOURCE_NAMES } from './sources.js';
import type { Stage } from './stage.js';
import { now } from './timeline.js';

/** Milliseconds: a good part of the directory's time limit, which several steps of a lookup share. */
const TOO_LATE = 300;
const PERIOD = 100;

/** Looks at this process's own event loop, and at the directory without gate, until told to stop. */
export function watchBusyness({ slapd, weather }: Stage): { stop(): void } {
  let last = now();
  let stopped = false;
  let asking = false;
  const client = new Client({ url: slapd.ldap });

  async function ask(): Promise<void> {
    const since = now();
    const isLate = (): boolean => now() - since > TOO_LATE;
    const isNews = (): boolean => !weather.felt(since, now()).some(({ effects }) => effects.sources?.includes('ldap'));
    try {
      await client.bind(READER_DN, PASSWORD);
    } catch {
      // It is down on purpose.
    }
    if (isLate() && isNews()) weather.noticed('directory busy by itself', { sources: ['ldap'], execToo: true }, now() - since);
  }

  const timer = setInterval(() => {
    const late = now() - last - PERIOD;
    last = now();
    if (late > TOO_LATE) weather.noticed('machine busy', { sources: SOURCE_NAMES, execToo: true }, late + PERIOD);
    if (asking || stopped) return;
    asking = true;
    void ask().finally(() => {
      asking = false;
    });
  }, PERIOD);
  return {
    stop() {
      stopped = true;
      clearInterval(timer);
      void client.unbind().catch(() => {});
    },
  };
}
