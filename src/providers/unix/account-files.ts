/**
 * /etc/passwd and /etc/group as glibc reads them (nss/nss_files/files-parse.c, files-initgroups.c, nss_readline.c), odd lines included:
 * whatever `id` makes of a file is what comes out here.
 *
 * Texts are "binary" strings, one character a byte, because names are bytes that need not be UTF-8. Each file can be searched, for one
 * question, or indexed, for many: a search takes no longer than splitting the file into fields, an index four times that.
 * @module
 */

/** Which account has which primary group: the first line of a name counts. */
export interface Passwd {
  primary(account: string): number | undefined;
}

/** What /etc/group says, by what is asked. */
export interface GroupFile {
  /** The ids of the groups that list a member, in the file's order; may hold an id twice. */
  gids(member: string): readonly number[];
  /** getgrgid(3) for many ids: the first group of an id names it. May name other ids, too. */
  names(gids: readonly number[]): ReadonlyMap<number, string>;
}

/** The text without what is behind a NUL in its line: in C, a string ends there. What the functions below expect. */
export function withoutNuls(text: string): string {
  return text.includes('\0') ? text.replace(/\0[^\n]*/g, '') : text;
}

/** A passwd file as a table of all accounts. */
export function indexPasswd(text: string): ReadonlyMap<string, number> {
  const index = new Map<string, number>();
  forEachLine(text, (start, end) => {
    const account = readPasswd(text, start, end);
    if (account !== undefined && !index.has(account.name)) index.set(account.name, account.gid);
    return true;
  });
  return index;
}

/** The primary group of one account: what the index has for it. */
export function searchPasswd(text: string, account: string): number | undefined {
  for (let at = text.indexOf(`${account}:`); at >= 0; at = text.indexOf(`${account}:`, at + 1)) {
    const [start, end] = lineAround(text, at);
    const found = readPasswd(text, start, end);
    if (found?.name === account) return found.gid;
  }
  return undefined;
}

/** A group file as tables of all members and all ids. */
export function indexGroup(text: string): {
  readonly gids: ReadonlyMap<string, readonly number[]>;
  readonly names: ReadonlyMap<number, string>;
} {
  const gids = new Map<string, number[]>();
  const names = new Map<number, string>();
  forEachLine(text, (start, end) => {
    const group = readGroup(text, start, end);
    if (group === undefined) return true;
    if (group.name !== undefined && !names.has(group.gid)) names.set(group.gid, text.slice(...group.name));
    forEachMember(text, group.members, end, (from, to) => {
      const member = text.slice(from, to);
      const known = gids.get(member);
      if (known === undefined) gids.set(member, [group.gid]);
      else if (known[known.length - 1] !== group.gid) known.push(group.gid);
    });
    return true;
  });
  return { gids, names };
}

/** The groups of one member: what the index has for it. */
export function searchMember(text: string, member: string): readonly number[] {
  const gids: number[] = [];
  for (let at = text.indexOf(member); at >= 0; at = text.indexOf(member, at + 1)) {
    if (!MEMBER_ENDS.has(text[at + member.length])) continue;
    const [start, end] = lineAround(text, at);
    const group = readGroup(text, start, end);
    let listed = false;
    if (group !== undefined) {
      forEachMember(text, group.members, end, (from, to) => {
        listed ||= to - from === member.length && text.startsWith(member, from);
      });
    }
    if (group === undefined || !listed) continue;
    gids.push(group.gid);
    at = end;
  }
  return gids;
}

/** The names of some groups: what the index has for them. */
export function searchNames(text: string, gids: readonly number[]): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  const wanted = new Set(gids);
  forEachLine(text, (start, end) => {
    const group = readGroup(text, start, end);
    if (group?.name === undefined || !wanted.delete(group.gid)) return true;
    names.set(group.gid, text.slice(...group.name));
    return wanted.size > 0;
  });
  return names;
}

/** What can follow a member. */
const MEMBER_ENDS: ReadonlySet<string | undefined> = new Set([',', '\n', undefined]);

const NUMBER_SIGN = 0x23;
const PLUS = 0x2b;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;

/** Calls back with the start and the end of each line, for as long as that says true. */
function forEachLine(text: string, visit: (start: number, end: number) => boolean): void {
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    if (!visit(start, end)) return;
    start = end + 1;
  }
}

/** The line that a place is in: its start and its end. */
function lineAround(text: string, at: number): readonly [start: number, end: number] {
  const newline = text.indexOf('\n', at);
  return [at === 0 ? 0 : text.lastIndexOf('\n', at - 1) + 1, newline < 0 ? text.length : newline];
}

function readPasswd(text: string, start: number, end: number): { readonly name: string; readonly gid: number } | undefined {
  const first = skipBlanks(text, start, end);
  if (first === end || isCommentOrCompat(text.charCodeAt(first))) return undefined;
  const nameEnd = colon(text, first, end);
  const uid = readNumber(text, colon(text, nameEnd + 1, end) + 1, end);
  const gid = uid && readNumber(text, uid.end + 1, end);
  return gid && { name: text.slice(first, nameEnd), gid: gid.value };
}

interface GroupLine {
  readonly gid: number;
  /** From where to where the name is; `undefined` where the line doesn't count as a group, but only as a membership. */
  readonly name: readonly [start: number, end: number] | undefined;
  readonly members: number;
}

function readGroup(text: string, start: number, end: number): GroupLine | undefined {
  const nameEnd = colon(text, start, end);
  const idStart = colon(text, nameEnd + 1, end) + 1;
  const mark = text.charCodeAt(start);
  // Entries of the compat service may leave the id out, and then it counts as 0.
  const compat = (mark === PLUS || mark === MINUS) && idStart < end && text.charCodeAt(idStart) === COLON;
  const gid = compat ? { value: 0, end: idStart } : readNumber(text, idStart, end);
  if (gid === undefined) return undefined;
  // Groups are read without comments, blanks in front and compat entries; memberships with them.
  const first = skipBlanks(text, start, end);
  return { gid: gid.value, name: isCommentOrCompat(text.charCodeAt(first)) ? undefined : [first, nameEnd], members: gid.end + 1 };
}

function forEachMember(text: string, start: number, end: number, found: (from: number, to: number) => void): void {
  for (let at = start; at < end; ) {
    const comma = text.indexOf(',', at);
    const to = comma < 0 || comma > end ? end : comma;
    // Blanks in front of a member are dropped, behind it they are part of it.
    const from = skipBlanks(text, at, to);
    if (from < to) found(from, to);
    at = to + 1;
  }
}

/** The place of the next colon, or the line's end. */
function colon(text: string, start: number, end: number): number {
  let at = start;
  while (at < end && text.charCodeAt(at) !== COLON) at++;
  return at;
}

function isCommentOrCompat(code: number): boolean {
  return code === NUMBER_SIGN || code === PLUS || code === MINUS;
}

/** isspace(3) in the C locale. */
function skipBlanks(text: string, start: number, end: number): number {
  let at = start;
  for (let code = text.charCodeAt(at); at < end && (code === 0x20 || (code >= 0x09 && code <= 0x0d)); code = text.charCodeAt(at)) at++;
  return at;
}

interface NumberField {
  readonly value: number;
  readonly end: number;
}

/** A number field, which a colon or the line's end has to follow: strtoul(3), cut off at 32 bits. */
function readNumber(text: string, start: number, end: number): NumberField | undefined {
  let at = start;
  let value = 0;
  for (let code = text.charCodeAt(at); at < end && code >= ZERO && code <= NINE; code = text.charCodeAt(at)) {
    value = value * 10 + (code - ZERO);
    at++;
  }
  // Nearly all ids are a few plain digits.
  if (at === start || at - start > 9) return readOddNumber(text.slice(start, colon(text, start, end)), start);
  return at === end || text.charCodeAt(at) === COLON ? { value, end: at } : undefined;
}

const LIMIT = 2n ** 64n;

function readOddNumber(field: string, start: number): NumberField | undefined {
  const [, sign, digits] = /^[ \t\n\v\f\r]*([+-]?)0*(\d+)$/.exec(field) ?? [];
  if (digits === undefined) return undefined;
  const magnitude = digits.length > 20 ? LIMIT : BigInt(digits);
  // strtoul negates in its own unsigned type, and gives the greatest number for what doesn't fit.
  const value = magnitude >= LIMIT ? LIMIT - 1n : sign === '-' ? BigInt.asUintN(64, -magnitude) : magnitude;
  return { value: value > 0xffff_ffffn ? 0xffff_ffff : Number(value), end: start + field.length };
}
