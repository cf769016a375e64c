import {
  decodeName,
  forEachLine,
  forEachMember,
  type GroupLine,
  isBlank,
  kindOf,
  skipBlanks,
  splitGroupLine,
} from '../../support/group-lines.js';
import { isUnicode, printable } from '../../support/text.js';
import type { Group } from '../provider.js';

/** The groups of each member, in the file's order. */
export type Memberships = ReadonlyMap<string, ReadonlySet<Group>>;

/**
 * Reads a file in the format of group(5), whose members are virtual users, strictly: group-lines.ts says what that means. `text` has one
 * character a byte. The password is ignored.
 * @throws Error naming the line, what is wrong with it and how it should look
 */
export function readMemberships(text: string): Memberships {
  const groups = new Map<string, Group>();
  const members = new Map<string, Set<Group>>();
  let number = 0;
  forEachLine(text, (lineStart, end) => {
    number++;
    // Windows editors put a byte order mark first.
    const start = number === 1 && text.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : lineStart;
    const kind = kindOf(text, skipBlanks(text, start, end), end);
    if (kind === 'empty' || kind === 'comment') return;
    const line = splitGroupLine(text, start, end);
    const written = readGroup(text, line, start, end, number);
    const group = groups.get(written.name) ?? written;
    groups.set(group.name, group);
    forEachMember(text, line.membersStart, end, (from, to) => {
      const member = decodeName(text.slice(from, withoutBlanks(text, from, to)));
      if (!isUnicode(member)) throw wrong(number, `the member ${quoted(member)} is not valid UTF-8`);
      const known = members.get(member);
      if (known === undefined) members.set(member, new Set([group]));
      else known.add(group);
    });
  });
  return members;
}

const BYTE_ORDER_MARK = '\xef\xbb\xbf';
const MOST_GID = 0xffff_fffe;

function readGroup(text: string, line: GroupLine, start: number, end: number, number: number): Group {
  const { kind, nameStart, nameEnd, gidStart, gidEnd, membersStart } = line;
  const fail = (problem: string): never => {
    throw wrong(number, problem);
  };
  if (membersStart > end) fail(`expected name:password:gid:members, found ${quoted(decodeName(text.slice(start, end)))}`);
  const name = decodeName(text.slice(nameStart, nameEnd));
  if (text.slice(start, end).includes('\0')) fail(`the line of the group ${quoted(name)} holds a NUL byte`);
  if (name === '') fail(`the group has no name: ${quoted(decodeName(text.slice(start, end)))}`);
  if (kind === 'compat') fail(`the name ${quoted(name)} begins with + or -, which group(5) has for entries of NIS`);
  if (isBlank(text.charCodeAt(nameEnd - 1))) fail(`the name ${quoted(name)} ends with a blank`);
  const gid = text.slice(gidStart, gidEnd);
  if (gid === '') return { name };
  if (!/^\d{1,10}$/.test(gid) || Number(gid) > MOST_GID) {
    fail(`expected a number up to ${MOST_GID} or nothing for the gid, found ${quoted(decodeName(gid))}`);
  }
  return { name, gid: Number(gid) };
}

function wrong(line: number, problem: string): Error {
  return new Error(`line ${line}: ${problem}; fix that line`);
}

/** Where a member ends without the blanks behind it. */
function withoutBlanks(text: string, from: number, to: number): number {
  let end = to;
  while (end > from && isBlank(text.charCodeAt(end - 1))) end--;
  return end;
}

const MOST_QUOTED = 100;

/** A text as messages show it: in one line, and never megabytes. */
function quoted(text: string): string {
  return `"${printable(text.length > MOST_QUOTED ? `${text.slice(0, MOST_QUOTED)}…` : text)}"`;
}
