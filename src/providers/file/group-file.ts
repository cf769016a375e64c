import { isUnicode } from '../../support/text.js';
import type { Group } from '../provider.js';

/** The groups of each member, in the file's order. */
export type GroupFile = ReadonlyMap<string, ReadonlySet<Group>>;

/**
 * Parses a group(5)-format file, `name:password:gid:member,member`, whose members are virtual users. Unlike the C library, which
 * passes over lines that it can't read, this refuses the file: a group that goes missing can widen somebody's access, because
 * ACLs may hold negative rights. The password is ignored; the gid may be left empty; `#` starts a comment line. Blanks and a
 * carriage return around members don't count.
 * @throws Error naming the line, what is wrong with it and how it should look
 */
export function parseGroupFile(text: string): GroupFile {
  const groups = new Map<string, Group>();
  const members = new Map<string, Set<Group>>();
  // Editors of other systems put a byte order mark first.
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const { group: written, names } = parseLine(line, index + 1);
    // A name on two lines is one group with the members of both.
    const group = groups.get(written.name) ?? written;
    groups.set(group.name, group);
    for (const member of names) {
      const known = members.get(member);
      if (known === undefined) members.set(member, new Set([group]));
      else known.add(group);
    }
  }
  return members;
}

/** Members come last, so that they may hold colons. */
const LINE = /^([^:]*):[^:]*:([^:]*):(.*)$/s;

function parseLine(line: string, number: number): { readonly group: Group; readonly names: readonly string[] } {
  const [matched, name = '', gid = '', members = ''] = LINE.exec(line) ?? [];
  if (matched === undefined) throw new Error(`line ${number}: expected name:password:gid:members, found "${line}"`);
  if (name === '') throw new Error(`line ${number}: the group has no name: "${line}"`);
  if (!/^\d{0,10}$/.test(gid)) throw new Error(`line ${number}: expected a number or nothing for the gid, found "${gid}"`);
  const names = members
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '');
  const broken = names.find((member) => !isUnicode(member));
  if (broken !== undefined) throw new Error(`line ${number}: the member "${broken}" is not valid UTF-8`);
  return { group: gid === '' ? { name } : { name, gid: Number(gid) }, names };
}
