import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';
import { BindRequest } from 'ldapts';
import { SOURCE_NAMES } from '../sources.js';
import { OTHER_RULES, type Stage } from '../stage.js';
import type { Effects } from '../weather.js';
import type { Fault } from './fault.js';

/** Somebody else answers from now on: connections end, and nothing else. */
const REPLACED: Effects = { loses: true };
/** Nothing is left to work with, so that any source may fail, the service deny, and connections end. */
const STARVED: Effects = { sources: SOURCE_NAMES, denies: true, loses: true };

/** What becomes of the service, and what is done to it. */
export const serviceFaults: readonly Fault[] = [
  {
    name: 'service killed',
    subject: 'service',
    async run({ service, weather }, _hold, draw) {
      const end = weather.begin(this.name, REPLACED);
      for (let times = 1 + draw.below(3); times > 0; times--) {
        const before = service.starts;
        await Promise.all(service.pids.map((pid) => service.end(pid, 'SIGKILL')));
        await service.served(before);
      }
      end();
    },
  },
  {
    name: 'service replaced',
    subject: 'service',
    async run(stage) {
      await replace(stage);
    },
  },
  {
    name: 'service reloaded',
    subject: 'service',
    async run(stage) {
      const end = stage.weather.begin(this.name, {});
      await reload(stage);
      end();
    },
  },
  {
    name: 'configuration changed',
    subject: 'service',
    async run(stage, _hold, draw) {
      const end = stage.weather.begin(this.name, {});
      const rules = { ...draw.of(OTHER_RULES), version: stage.version };
      const change = stage.rules.begin(rules);
      stage.configure(rules);
      await reload(stage);
      change.done();
      end();
    },
  },
  {
    name: 'configuration broken',
    subject: 'service',
    async run(stage, hold, draw) {
      const { service, weather, config } = stage;
      // A process that is started meanwhile can't do anything else; one that runs goes on with what it has.
      const end = weather.begin(this.name, { denies: true, execToo: true });
      writeFileSync(config, draw.of(['ttl = 1\n', 'providers = [\n', '[cache]\nttl = "soon"\n']), { mode: 0o600 });
      service.signal('SIGHUP');
      if (draw.below(2) === 0) await replace(stage);
      await hold();
      stage.configure(stage.rules.latest);
      await reload(stage);
      end();
    },
  },
  {
    name: 'second service',
    subject: 'service',
    async run({ service, weather }, hold) {
      const end = weather.begin(this.name, {});
      const pid = await service.startAnother();
      await hold();
      const replaced = weather.begin('service replaced', REPLACED);
      if (service.pids.length > 1) await service.end(pid, 'SIGTERM');
      replaced();
      end();
    },
  },
  {
    name: 'clock set',
    subject: 'service',
    isPossible: ({ faketime }) => faketime !== undefined,
    async run(stage, hold, draw) {
      const { weather, world, faketime } = stage;
      const file = join(world.directory, 'clock');
      writeFileSync(file, '+1d');
      const words = [`LD_PRELOAD=${faketime}`, `FAKETIME_TIMESTAMP_FILE=${file}`, 'FAKETIME_CACHE_DURATION=1', 'DONT_FAKE_MONOTONIC=1'];
      await replace(stage, words);
      const end = weather.begin(this.name, {});
      for (let times = 0; times < 3; times++) {
        // Never before the certificates' time.
        writeFileSync(file, draw.of(['+3600', '+5', '+2d', '+20d']));
        await hold();
      }
      end();
      await replace(stage);
    },
  },
  {
    name: '1,000 idle and 100 half-spoken connections',
    subject: 'connections',
    async run({ service, weather }, hold, draw) {
      const end = weather.begin(this.name, {});
      const bind = new BindRequest({ messageId: 1, dn: '', password: '' }).write();
      const half = Buffer.from('VERSION\tscript-login\t1\t0\n1.2.3.4\t1.2');
      const sockets: Socket[] = [];
      for (let count = 0; count < 1100; count++) {
        const socket = connect(service.socket).on('error', () => {});
        sockets.push(socket);
        if (count >= 1000) socket.write(draw.of([half, bind.subarray(0, 5)]));
        else if (count % 2 === 0) socket.write(bind);
        if (count % 100 === 0) await pass(10);
      }
      await hold();
      for (const socket of sockets) socket.destroy();
      end();
    },
  },
  starving('64 descriptors', ['--nofile=64:'], ['--nofile=16384:']),
  starving('memory limit', ['--data=200000000:'], ['--data=unlimited:']),
  starving('address space limit', ['--as=900000000:'], ['--as=unlimited:']),
];

/** A limit of the service's processes, and what it is without. */
function starving(name: string, limit: readonly string[], unlimited: readonly string[]): Fault {
  return {
    name,
    subject: 'limits',
    async run({ service, weather }, hold) {
      const end = weather.begin(name, STARVED);
      service.limit(limit);
      await hold();
      service.limit(unlimited);
      if (service.pids.length === 0) await service.served(service.starts);
      end();
    },
  };
}

async function replace({ service, weather }: Stage, environment?: readonly string[]): Promise<void> {
  const end = weather.begin('service replaced', REPLACED);
  await service.replace(environment);
  end();
}

/** Milliseconds until a process that hasn't heard of a new configuration is told again: it may have had no descriptor left to read it. */
const HEARS_WITHIN = 3000;

/** Has all processes read the configuration, and waits until they have. One that ends meanwhile is followed by one that has read it. */
async function reload({ service }: Stage): Promise<void> {
  const { lines } = service.log;
  for (;;) {
    const from = lines.length;
    const wanted = service.pids.length;
    service.signal('SIGHUP');
    const heard = (): number => lines.slice(from).filter((line) => /configuration read again|serves logins/.test(line)).length;
    const deadline = Date.now() + HEARS_WITHIN;
    while (heard() < Math.max(1, wanted) && Date.now() < deadline) await pass(20);
    if (heard() >= Math.max(1, wanted)) return;
  }
}
