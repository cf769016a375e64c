import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseConfig } from '../../../src/config/load.js';
import type { Group } from '../../../src/index.js';
import { loginUser } from '../../../src/providers/contract.js';
import type { GroupProvider, LoginUser } from '../../../src/providers/provider.js';
import { openProviders } from '../../../src/providers/registry.js';
import { createLogger, type Logger } from '../../../src/support/log.js';

/** A third-party provider that does to each user what his name says. It keeps a count of what it was asked. */
const ODD = `
import { writeFileSync, readFileSync, existsSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
const text = (fallback) => ({ '~standard': { version: 1, vendor: 'odd', validate: (value) =>
  typeof (value ?? fallback) === 'string' ? { value: value ?? fallback } : { issues: [{ message: 'expected a text' }] } } });
let asked = 0;
let running = 0;
class Team { get name() { return 'a getter'; } }
const at = (file) => existsSync(file) && readFileSync(file, 'utf8') === 'yes';
export default {
  name: 'odd',
  description: 'odd',
  options: {
    notes: { schema: text(''), description: 'a directory' },
    mood: { schema: text('good'), description: 'a mood' },
  },
  create({ notes, mood }, { log, directory, resident }) {
    if (mood === 'contradictory') throw new Error('these options contradict each other');
    if (mood === 'nothing') return undefined;
    if (mood === 'loop' || at(notes + '/loop')) for (;;);
    if (at(notes + '/broken')) throw new Error('the source is gone');
    return {
      async groups({ name, fields }, signal) {
        signal.throwIfAborted();
        asked++;
        const [, what, argument] = /^([^:]*):?(.*)$/.exec(name);
        running++;
        try {
          return await answer(what, argument, fields, signal);
        } finally {
          running--;
        }
      },
      cacheKey({ name }) {
        if (name === 'key:loop') for (;;);
        if (name === 'key:number') return 1;
        return 'key of ' + name;
      },
      async check() {
        return [{ level: 'warning', message: 'odd', more: () => {} }];
      },
      async close() {
        writeFileSync(notes + '/closed', String(running));
        if (mood === 'clinging') await new Promise((resolve) => setTimeout(resolve, 1e6));
        if (mood === 'failing') throw new Error('can not close');
      },
    };
    async function answer(what, argument, fields, signal) {
      if (what === 'known') return [{ name: 'staff', gid: 7, dn: 'cn=staff', more: () => {} }];
      if (what === 'empty') return [];
      if (what === 'fields') return [...fields].map(([key, value]) => ({ name: key + '=' + value }));
      if (what === 'asked') return [{ name: String(asked) }];
      if (what === 'context') return [{ name: directory + ' ' + resident }];
      if (what === 'loop') for (;;);
      if (what === 'once') { if (!at(notes + '/' + argument)) { writeFileSync(notes + '/' + argument, 'yes'); for (;;); } return [{ name: 'late' }]; }
      if (what === 'exit') process.exit(3);
      if (what === 'leak') for (const kept = []; ; ) kept.push(new Array(5000).fill(kept.length));
      if (what === 'heavy') { globalThis.kept = Array.from({ length: 4e6 }, (_, index) => ({ index })); return []; }
      if (what === 'deaf') return new Promise(() => {});
      if (what === 'patient') return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      if (what === 'wait') return new Promise((resolve) => setTimeout(() => resolve([{ name: 'slow' }]), Number(argument)));
      if (what === 'reject') { Promise.reject(new Error('nobody waits')); return []; }
      if (what === 'throw') { setTimeout(() => { throw new Error('out of the blue'); }, 0); return []; }
      if (what === 'print') { console.log('one\\ntwo'); console.error('three'); process.stdout.write('four'); return []; }
      if (what === 'log') { log.warning('w'); log.info('i'); log.error('e'); log.debug(() => 'd'); return []; }
      if (what === 'chatter') { for (let line = 0; line < 2000; line++) log.info('chatter'); return []; }
      if (what === 'post') { for (const message of [null, 'text', { kind: 'answer', id: 1, value: [] }]) parentPort.postMessage(message); return [{ name: 'posted' }]; }
      if (what === 'unlisten') { parentPort.close(); return [{ name: 'closed' }]; }
      if (what === 'data') return Object.keys(workerData).map((name) => ({ name }));
      if (what === 'trap') { const error = new Error('x'); Object.defineProperty(error, 'message', { get() { throw 1; } }); throw error; }
      if (what === 'novel') throw new Error('x'.repeat(5_000_000));
      if (what === 'fail') throw Object.assign(new Error('no source', { cause: new Error('no network') }), { private: () => {} });
      if (what === 'void') throw Object.create(null);
      if (what === 'getter') return [new Team()];
      if (what === 'list') return eval(argument);
      return undefined;
    }
  },
};
`;

/** One line of log: its level and text. */
export type Line = string;

/** The odd provider, opened as the service does it. */
export interface Odd {
  readonly provider: GroupProvider;
  readonly lines: readonly Line[];
  /** The names of a user's groups. */
  names(user: string, timeout?: number): Promise<readonly string[] | undefined>;
  groups(user: LoginUser, timeout?: number): Promise<readonly Group[] | undefined>;
}

/** A folder for a module of the odd provider, and what it writes. */
export interface OddFolder {
  readonly path: string;
  readonly module: string;
  /** The path of the configuration file, which messages begin with. */
  readonly config: string;
  open(table?: Readonly<Record<string, unknown>>, main?: Readonly<Record<string, unknown>>, resident?: boolean): Promise<Odd>;
  note(name: string, text?: string): void;
  remove(): void;
}

/** The signal of a lookup that has so many milliseconds. */
export function lookupSignal(timeout: number): AbortSignal {
  const abort = new AbortController();
  setTimeout(() => abort.abort(new Error(`no answer within ${timeout} ms`)), timeout).unref();
  return abort.signal;
}

export function oddFolder(source: string = ODD): OddFolder {
  const path = mkdtempSync('/tmp/acl-groups-odd-');
  const module = join(path, 'odd.mjs');
  const config = join(path, 'config.toml');
  writeFileSync(module, source);
  chmodSync(module, 0o644);
  return {
    path,
    module,
    config,
    async open(table = {}, main = {}, resident = true) {
      const lines: Line[] = [];
      const log: Logger = createLogger((level, message) => lines.push(`${level}: ${message}`));
      const tables = { providers: ['./odd.mjs'], ...main, provider: { odd: { notes: path, ...table } } };
      const [first] = await openProviders(parseConfig(tables, config), () => log, resident);
      if (first === undefined) throw new Error('no provider was opened');
      const { provider } = first;
      const groups = (user: LoginUser, timeout = 60_000) => provider.groups(user, lookupSignal(timeout));
      return {
        provider,
        lines,
        groups,
        names: async (user, timeout) => (await groups(loginUser(user), timeout))?.map(({ name }) => name),
      };
    },
    note: (name, text = 'yes') => writeFileSync(join(path, name), text),
    remove: () => rmSync(path, { recursive: true }),
  };
}
