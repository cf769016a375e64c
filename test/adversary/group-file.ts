/** A real group file in a temporary directory, read by the real provider, with all that happens to such a file. */
import { chmodSync, mkdtempSync, renameSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import file from '../../src/providers/file/definition.js';
import type { GroupProvider } from '../../src/providers/provider.js';
import { createLogger } from '../../src/support/log.js';
import type { History, State } from './model.js';

/** What happens to the file beside a change of its text. */
export const ACCIDENTS = ['replace', 'rewrite', 'truncate', 'open to all', 'close', 'remove', 'garble'] as const;
export type Accident = (typeof ACCIDENTS)[number];

/** The groups of each member, or nothing that can be used. */
type Reading = ReadonlyMap<string, readonly string[]> | 'refused';

export interface GroupFile {
  readonly provider: GroupProvider;
  /** Lists a member in these groups and no others. Names that such a file can't hold are left out. */
  setMember(member: string, state: State, moment: number): void;
  happen(accident: Accident, moment: number): void;
  history(name: string, account: string): History;
  end(): void;
}

/** Its file system has times of whole seconds, by the clock that the test moves. */
export function createGroupFile(now: () => number): GroupFile {
  const directory = mkdtempSync(join(tmpdir(), 'acl-groups-adversary-'));
  const path = join(directory, 'groups');
  const members = new Map<string, readonly string[]>();
  const readings: { moment: number; reading: Reading }[] = [];
  let replaces = true;
  let garbage = '';
  let text = '';
  let mode = 0o644;
  let written = 0;

  function write(): void {
    const names = new Set([...members.values()].flat());
    const lines = [...names].map((name) => {
      const listed = [...members].filter(([, groups]) => groups.includes(name)).map(([member]) => member);
      return `${name}:x:${written % 7}:${listed.join(',')}\n`;
    });
    written++;
    text = `${lines.join('')}${garbage}`;
    const target = replaces ? `${path}.new` : path;
    writeFileSync(target, text);
    chmodSync(target, mode);
    stamp(target);
    if (replaces) renameSync(target, path);
  }

  function stamp(target: string): void {
    const seconds = Math.floor(now() / 1000);
    utimesSync(target, seconds, seconds);
  }

  function remember(moment: number, reading: Reading): void {
    readings.push({ moment, reading });
  }

  write();
  remember(0, readStrictly(text));

  const groupsOf = (reading: Reading, name: string, account: string): State => {
    if (reading === 'refused') return undefined;
    const found = [...new Set([...(reading.get(name) ?? []), ...(reading.get(account) ?? [])])];
    return found.length === 0 ? undefined : found.map((group) => ({ name: group }));
  };

  return {
    provider: file.create({ path }, { directory, log: createLogger(() => {}) }),
    setMember(member, state, moment) {
      const names = (state ?? []).filter(({ skip }) => skip === undefined).map(({ name }) => name);
      if (/^[^,\s]+$/.test(member)) members.set(member, [...new Set(names.filter((name) => FITTING.test(name)))]);
      write();
      remember(moment, mode === 0o644 ? readStrictly(text) : 'refused');
    },
    happen(accident, moment) {
      if (accident === 'replace' || accident === 'rewrite') replaces = accident === 'replace';
      else if (accident === 'open to all' || accident === 'close') mode = accident === 'close' ? 0o644 : 0o666;
      else if (accident === 'garble') garbage = garbage === '' ? 'no line of a group file\n' : '';
      else if (accident === 'remove') {
        rmSync(path, { force: true });
        remember(moment, 'refused');
        return;
      }
      write();
      if (accident === 'truncate') {
        text = text.slice(0, text.length / 2);
        truncateSync(path, Buffer.byteLength(text));
        stamp(path);
      }
      remember(moment, mode === 0o644 ? readStrictly(text) : 'refused');
    },
    history(name, account) {
      const between = (from: number, to: number): readonly Reading[] => {
        const at = readings.findLastIndex(({ moment }) => moment <= from);
        return readings.slice(Math.max(at, 0)).flatMap(({ moment, reading }) => (moment <= to ? [reading] : []));
      };
      return {
        states(from, to) {
          const usable = between(from, to).filter((reading) => reading !== 'refused');
          const states = new Map(
            usable.map((reading) => [JSON.stringify(groupsOf(reading, name, account)), groupsOf(reading, name, account)]),
          );
          return [...states.values()];
        },
        failed: (from, to) => between(from, to).includes('refused'),
      };
    },
    end: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** Names that a group file can hold. */
const FITTING = /^[^:\s+#-](?:[^:\n\r]*[^:\s])?$/;

/** group(5), as strictly as the contract says. */
function readStrictly(text: string): Reading {
  const groups = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const start = line.trimStart();
    if (start === '' || start.startsWith('#')) continue;
    const [name = '', , gid = '', ...members] = start.split(':');
    if (members.length === 0 || !FITTING.test(name) || !/^\d*$/.test(gid)) return 'refused';
    for (const member of members.join(':').split(',')) {
      const trimmed = member.trim();
      if (trimmed === '') continue;
      const known = groups.get(trimmed) ?? [];
      groups.set(trimmed, known.includes(name) ? known : [...known, name]);
    }
  }
  return groups;
}
