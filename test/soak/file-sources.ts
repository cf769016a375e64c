/** Files that are replaced, or rewritten in place, while they are read. */
import { closeSync, openSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { distinct, type State } from '../adversary/model.js';
import type { Draw } from './draw.js';
import { drawFacts, drawStep, type Facts, type Source, type Step, statesBy } from './sources.js';

const UNIX_GROUPS = ['staff-x', 'Domain Users', 'CORP\\sales', '100%', 'Jörg', 'u"q"', 'a=b/c'];
const FILE_GROUPS = ['virtual', 'mail users', 'x\\y', 'percent%u', 'last'];
const PRIMARY = { name: 'people', gid: 30_000 };

/** At most so many users change at a time. */
const MOST_STEPS = 3;

/**
 * Writes a file that always has the same length and differs from the one before by one byte for each change: what is half old and half new
 * is of each user either the one or the other. @throws Error where the disk is full
 */
function write(path: string, text: string, how: 'replaced' | 'rewritten'): void {
  if (how === 'rewritten') {
    const file = openSync(path, 'r+');
    try {
      writeSync(file, Buffer.from(text), 0, Buffer.byteLength(text), 0);
    } finally {
      closeSync(file);
    }
    return;
  }
  const draft = `${path}.draft`;
  try {
    writeFileSync(draft, text, { mode: 0o644 });
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/** A name, or one of the same length that nobody has. */
const nameOrNot = (name: string, is: boolean): string => (is ? name : `_${name.slice(1)}`);

function groupLines(groups: readonly string[], users: readonly string[], { member }: Facts, firstGid: number): string {
  return groups
    .map((group, bit) => {
      const members = users.map((user) => nameOrNot(user, ((member.get(user)?.latest ?? 0) & (1 << bit)) !== 0));
      return `${group}:x:${firstGid + bit}:${members.join(',')}\n`;
    })
    .join('');
}

/** A few steps of different users. */
function drawSteps(users: readonly string[], groups: number, draw: Draw): readonly Step[] {
  const steps = Array.from({ length: 1 + draw.below(MOST_STEPS) }, () => drawStep(users, groups, draw));
  return [...new Map(steps.map((step) => [step.user, step])).values()];
}

/** Makes changes by writing what they come to. What a full disk refuses hasn't been seen by anybody. */
function make(facts: Facts, steps: readonly Step[], save: () => void): void {
  const changes = steps.flatMap(({ user, what, bit }) => {
    const known = facts.known.get(user);
    const member = facts.member.get(user);
    if (known === undefined || member === undefined) return [];
    return [what === 'known' ? known.begin(!known.latest) : member.begin(member.latest ^ (1 << bit))];
  });
  try {
    save();
    for (const change of changes) change.done();
  } catch {
    for (const change of changes) change.undone();
  }
}

const namesOf = (groups: readonly string[], bits: number): State => groups.filter((_, bit) => bits & (1 << bit)).map((name) => ({ name }));

/** /etc/passwd and /etc/group, whose first lines stay as they are. */
export function unixSource(
  etc: string,
  base: { readonly passwd: string; readonly group: string },
  users: readonly string[],
  draw: Draw,
): Source {
  const facts = drawFacts(users, UNIX_GROUPS.length, draw);
  const savePasswd = (how: 'replaced' | 'rewritten'): void => {
    const lines = users.map((user, index) => {
      const name = nameOrNot(user, facts.known.get(user)?.latest ?? false);
      return `${name}:x:${10_000 + index}:${PRIMARY.gid}::/nonexistent:/bin/false\n`;
    });
    write(join(etc, 'passwd'), base.passwd + lines.join(''), how);
  };
  const saveGroup = (how: 'replaced' | 'rewritten'): void => {
    const lines = groupLines(UNIX_GROUPS, users, facts, PRIMARY.gid + 1);
    write(join(etc, 'group'), `${base.group}${PRIMARY.name}:x:${PRIMARY.gid}:\n${lines}`, how);
  };
  savePasswd('replaced');
  saveGroup('replaced');
  const stateOf = (bits: number): State => [{ name: PRIMARY.name }, ...(namesOf(UNIX_GROUPS, bits) ?? [])];
  return {
    name: 'unix',
    states: (user, from, to) => statesBy(facts, user, from, to, stateOf),
    async change(by) {
      const how = by.of(['replaced', 'rewritten'] as const);
      const steps = drawSteps(users, UNIX_GROUPS.length, by);
      const [first] = steps;
      // One file at a time.
      const same = steps.filter(({ what }) => what === first?.what);
      make(facts, same, () => (first?.what === 'known' ? savePasswd(how) : saveGroup(how)));
    },
    close: async () => {},
  };
}

/** The group file of the file provider. Whom it doesn't name it doesn't know. */
export function fileSource(path: string, users: readonly string[], draw: Draw): Source {
  const facts = drawFacts(users, FILE_GROUPS.length, draw);
  const save = (how: 'replaced' | 'rewritten'): void => write(path, groupLines(FILE_GROUPS, users, facts, 40_000), how);
  save('replaced');
  const stateOf = (bits: number): State => (bits === 0 ? undefined : namesOf(FILE_GROUPS, bits));
  return {
    name: 'file',
    // Whom it names in no group it doesn't know; what else it could know users by isn't there.
    states: (user, from, to) => distinct((facts.member.get(user)?.values(from, to) ?? []).map(stateOf)),
    async change(by) {
      const how = by.of(['replaced', 'rewritten'] as const);
      const steps = drawSteps(users, FILE_GROUPS.length, by).map((step) => ({ ...step, what: 'member' as const }));
      make(facts, steps, () => save(how));
    },
    close: async () => {},
  };
}
