import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';
import { Attribute, Change, Client } from 'ldapts';
import { PASSWORD, READER_DN, type Slapd } from '../../support/slapd.js';
import { type Stage, useCertificate } from '../stage.js';
import type { Effects } from '../weather.js';
import type { Fault } from './fault.js';

const FAILS: Effects = { sources: ['ldap'], execToo: true };

/** What becomes of the directory. */
export const directoryFaults: readonly Fault[] = [
  {
    name: 'slapd killed',
    subject: 'slapd',
    async run({ slapd, weather }, hold) {
      const end = weather.begin(this.name, FAILS);
      await slapd.end('SIGKILL');
      await hold();
      await slapd.start();
      end();
    },
  },
  {
    name: 'slapd stopped',
    subject: 'slapd',
    async run({ slapd, weather }, hold) {
      const end = weather.begin(this.name, FAILS);
      slapd.freeze();
      await hold();
      slapd.thaw();
      await answers(slapd);
      end();
    },
  },
  {
    name: 'slapd slow',
    subject: 'gate',
    async run({ gate, weather }, hold, draw) {
      const end = weather.begin(this.name, FAILS);
      gate.delay = draw.between(50, 500);
      await hold();
      gate.delay = 0;
      end();
    },
  },
  {
    name: 'connections to slapd cut',
    subject: 'gate',
    async run({ gate, weather }) {
      const end = weather.begin(this.name, FAILS);
      gate.drop();
      end();
    },
  },
  {
    name: 'slapd read-only',
    subject: 'slapd',
    async run({ slapd, weather }, hold) {
      // Who only reads doesn't notice.
      const end = weather.begin(this.name, {});
      await setReadOnly(slapd, true);
      await hold();
      await setReadOnly(slapd, false);
      end();
    },
  },
  {
    name: 'certificate expired',
    subject: 'slapd',
    async run(stage, hold) {
      const { certificates, weather } = stage;
      const end = weather.begin(this.name, FAILS);
      await restartWith(stage, certificates.expired);
      await hold();
      await restartWith(stage, certificates.good);
      end();
    },
  },
  {
    name: 'slapd out of connections',
    subject: 'slapd',
    async run({ slapd, gate, weather }, hold) {
      const end = weather.begin(this.name, FAILS);
      const pid = readFileSync(join(slapd.directory, 'pid'), 'utf8').trim();
      execFileSync('prlimit', ['--pid', pid, '--nofile=40:']);
      const idle = Array.from({ length: 60 }, () => connect(slapd.port, '127.0.0.1').on('error', () => {}));
      // Those that were there have to come anew.
      gate.drop();
      await hold();
      execFileSync('prlimit', ['--pid', pid, '--nofile=1024:']);
      for (const socket of idle) socket.destroy();
      await answers(slapd);
      end();
    },
  },
];

async function restartWith({ slapd, certificates }: Stage, certificate: Stage['certificates']['good']): Promise<void> {
  useCertificate(certificates.used, certificate);
  await slapd.end();
  await slapd.start();
}

/** Waits until the server answers somebody new. */
async function answers(slapd: Slapd): Promise<void> {
  for (;;) {
    const client = new Client({ url: slapd.ldap, connectTimeout: 1000, timeout: 1000 });
    try {
      await client.bind(READER_DN, PASSWORD);
      return;
    } catch {
      await pass(50);
    } finally {
      await client.unbind().catch(() => {});
    }
  }
}

async function setReadOnly(slapd: Slapd, value: boolean): Promise<void> {
  const client = new Client({ url: slapd.ldap });
  try {
    await client.bind('cn=config', 'config');
    const modification = new Attribute({ type: 'olcReadOnly', values: [value ? 'TRUE' : 'FALSE'] });
    await client.modify('olcDatabase={1}mdb,cn=config', new Change({ operation: 'replace', modification }));
  } finally {
    await client.unbind().catch(() => {});
  }
}
