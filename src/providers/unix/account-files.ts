/**
 * /etc/passwd and /etc/group as glibc reads them (nss/nss_files/files-parse.c, files-initgroups.c, nss_readline.c), odd lines included:
 * whatever `id` makes of a file is what comes out here. One oddity isn't followed: of an indented line that a NUL or
 * the file's end ends, and no newline, glibc reads a few characters twice (nss_readline.c moves the line, but not its end).
 *
 * Indexed at once, in a time that grows with the file's size alone: see group-lines.ts for the grammar.
 * @module
 */
import {
  type Bytes,
  COLON,
  findColon,
  forEachLine,
  forEachMember,
  kindOf,
  MINUS,
  PLUS,
  skipBlanks,
  splitGroupLine,
} from '../../support/group-lines.js';

/** What /etc/group says, by what is asked. */
export interface GroupIndex {
  /** The ids of the groups that list a member, in the file's order; may hold an id twice. */
  readonly gids: ReadonlyMap<string, readonly number[]>;
  /** The first group of each id. */
  readonly names: ReadonlyMap<number, string>;
}

/** The primary group of each account of a passwd file: the first line of a name counts. */
export function indexPasswd(text: Bytes): ReadonlyMap<string, number> {
  const index = new Map<string, number>();
  forEachString(text, (start, end) => {
    const first = skipBlanks(text, start, end);
    if (kindOf(text, first, end) !== 'group') return;
    const nameEnd = findColon(text, first, end);
    const uid = readNumber(text, findColon(text, nameEnd + 1, end) + 1, end);
    const gid = uid && readNumber(text, uid.end + 1, end);
    if (gid === undefined) return;
    const name = text.slice(first, nameEnd);
    if (!index.has(name)) index.set(name, gid.value);
  });
  return index;
}

/** A group file, by member and by id. */
export function indexGroup(text: Bytes): GroupIndex {
  const gids = new Map<string, number[]>();
  const names = new Map<number, string>();
  forEachString(text, (start, end) => {
    const line = splitGroupLine(text, start, end);
    const gid = readGid(text, start, end, line.gidStart);
    if (gid === undefined) return;
    // Groups are read without comments, blanks in front and compat entries (getgrgid); memberships with them (getgrouplist).
    if (line.kind === 'group' && !names.has(gid.value)) names.set(gid.value, text.slice(line.nameStart, line.nameEnd));
    forEachMember(text, gid.end + 1, end, (from, to) => {
      const member = text.slice(from, to);
      const known = gids.get(member);
      if (known === undefined) gids.set(member, [gid.value]);
      else if (known[known.length - 1] !== gid.value) known.push(gid.value);
    });
  });
  return { gids, names };
}

/** Lines, up to the first NUL in each: in C, a string ends there. */
function forEachString(text: Bytes, visit: (start: number, end: number) => void): void {
  let nul = text.indexOf('\0', 0);
  forEachLine(text, (start, end) => {
    if (nul < 0 || nul >= end) return visit(start, end);
    visit(start, nul);
    nul = text.indexOf('\0', end);
  });
}

interface NumberField {
  readonly value: number;
  readonly end: number;
}

/** Entries of the compat service may leave the id out, and then it counts as 0. */
function readGid(text: Bytes, start: number, end: number, gidStart: number): NumberField | undefined {
  const mark = text.charCodeAt(start);
  const compat = mark === PLUS || mark === MINUS;
  if (compat && gidStart < end && text.charCodeAt(gidStart) === COLON) return { value: 0, end: gidStart };
  return readNumber(text, gidStart, end);
}

const ZERO = 0x30;
const isDigit = (code: number): boolean => code >= ZERO && code <= 0x39;

/** A number field, which a colon or the line's end has to follow: strtoul(3), cut off at 32 bits. */
function readNumber(text: Bytes, start: number, end: number): NumberField | undefined {
  let at = skipBlanks(text, start, end);
  const sign = at < end ? text.charCodeAt(at) : 0;
  if (sign === PLUS || sign === MINUS) at++;
  const digits = at;
  while (at < end && text.charCodeAt(at) === ZERO) at++;
  const significant = at;
  let small = 0;
  for (; at < end && isDigit(text.charCodeAt(at)); at++) small = small * 10 + (text.charCodeAt(at) - ZERO);
  if (at === digits || (at < end && text.charCodeAt(at) !== COLON)) return undefined;
  // Nearly all ids are a few plain digits.
  if (at - significant <= 9 && sign !== MINUS) return { value: small, end: at };
  return { value: wrapAround(text, significant, at, sign === MINUS), end: at };
}

const LIMIT = 2n ** 64n;

/** strtoul negates in its own unsigned type, and gives the greatest number for what doesn't fit. */
function wrapAround(text: Bytes, start: number, end: number, negative: boolean): number {
  const magnitude = end - start > 20 ? LIMIT : BigInt(text.slice(start, end));
  const value = magnitude >= LIMIT ? LIMIT - 1n : negative ? BigInt.asUintN(64, -magnitude) : magnitude;
  return value > 0xffff_ffffn ? 0xffff_ffff : Number(value);
}
