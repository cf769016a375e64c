/**
 * /etc/passwd and /etc/group as glibc reads them (nss/nss_files/files-parse.c, files-initgroups.c, nss_readline.c), odd lines included:
 * whatever `id` makes of a file is what comes out here.
 *
 * Texts are "binary" strings, one character a byte, because names are bytes that need not be UTF-8.
 * @module
 */

/** What /etc/group says, by what is asked. */
export interface GroupIndex {
  /** getgrgid(3): the first group of an id names it. */
  readonly names: ReadonlyMap<number, string>;
  /** The ids of the groups that list a member, in the file's order; may hold an id twice. */
  gids(member: string): readonly number[];
}

/** Primary group ids by account name; the first line of a name counts. */
export function parsePasswd(text: string): Map<string, number> {
  const primary = new Map<string, number>();
  for (const line of lines(text)) {
    const start = skipBlanks(line, 0);
    // A comment, a blank line, or an entry of the compat service, which has no account of its own.
    if (start === line.length || COMMENT_OR_COMPAT.has(line[start] ?? '')) continue;
    const nameEnd = line.indexOf(':', start);
    const passwordEnd = nameEnd < 0 ? -1 : line.indexOf(':', nameEnd + 1);
    if (passwordEnd < 0) continue;
    const uid = readNumber(line, passwordEnd + 1);
    const gid = uid === undefined || uid.end >= line.length ? undefined : readNumber(line, uid.end + 1);
    if (gid === undefined) continue;
    const name = line.slice(start, nameEnd);
    if (!primary.has(name)) primary.set(name, gid.value);
  }
  return primary;
}

/**
 * Indexes a group file: names at once, members when the second one is asked for. Who asks once only (exec mode) gets by with a search,
 * which takes a quarter of the time.
 */
export function parseGroup(text: string): GroupIndex {
  const names = new Map<number, string>();
  for (const line of lines(text)) {
    // Names are asked for line by line without comments, blanks in front and compat entries; memberships are not.
    const start = skipBlanks(line, 0);
    if (COMMENT_OR_COMPAT.has(line[start] ?? '')) continue;
    const group = readGroup(line);
    if (group !== undefined && !names.has(group.gid)) names.set(group.gid, line.slice(start, group.nameEnd));
  }
  let asked = false;
  let index: ReadonlyMap<string, readonly number[]> | undefined;
  return {
    names,
    gids(member) {
      if (asked) index ??= indexMembers(text);
      asked = true;
      return index === undefined ? searchMember(text, member) : (index.get(member) ?? []);
    },
  };
}

/** The ids of the groups that list each member. */
export function indexMembers(text: string): ReadonlyMap<string, readonly number[]> {
  const index = new Map<string, number[]>();
  for (const line of lines(text)) {
    const group = readGroup(line);
    if (group === undefined) continue;
    forEachMember(line, group.membersStart, (member) => {
      const known = index.get(member);
      if (known === undefined) index.set(member, [group.gid]);
      else if (known[known.length - 1] !== group.gid) known.push(group.gid);
    });
  }
  return index;
}

/** The ids of the groups that list one member: what the index has for it. */
export function searchMember(text: string, member: string): readonly number[] {
  const gids: number[] = [];
  for (let at = text.indexOf(member); at >= 0; at = text.indexOf(member, at + 1)) {
    if (!MEMBER_ENDS.has(text[at + member.length])) continue;
    const newline = text.indexOf('\n', at);
    const end = newline < 0 ? text.length : newline;
    const line = untilNul(text.slice(text.lastIndexOf('\n', at) + 1, end));
    const group = readGroup(line);
    if (group !== undefined) {
      let listed = false;
      forEachMember(line, group.membersStart, (name) => {
        listed ||= name === member;
      });
      if (listed) gids.push(group.gid);
    }
    at = end;
  }
  return gids;
}

/** What can follow a member. */
const MEMBER_ENDS: ReadonlySet<string | undefined> = new Set([',', '\n', '\0', undefined]);

const COMMENT_OR_COMPAT: ReadonlySet<string> = new Set(['#', '+', '-']);

/** Lines without their end. */
function* lines(text: string): Generator<string> {
  const hasNul = text.includes('\0');
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    const line = text.slice(start, end);
    yield hasNul ? untilNul(line) : line;
    start = end + 1;
  }
}

/** A NUL ends a line early, as it ends every string in C. */
function untilNul(line: string): string {
  const nul = line.indexOf('\0');
  return nul < 0 ? line : line.slice(0, nul);
}

interface GroupLine {
  readonly nameEnd: number;
  readonly gid: number;
  readonly membersStart: number;
}

function readGroup(line: string): GroupLine | undefined {
  const nameEnd = line.indexOf(':');
  const passwordEnd = nameEnd < 0 ? -1 : line.indexOf(':', nameEnd + 1);
  if (passwordEnd < 0) return undefined;
  const compat = line[0] === '+' || line[0] === '-';
  // Entries of the compat service may leave the id out, and then count as 0.
  const gid =
    readNumber(line, passwordEnd + 1) ?? (compat && line[passwordEnd + 1] === ':' ? { value: 0, end: passwordEnd + 1 } : undefined);
  return gid && { nameEnd, gid: gid.value, membersStart: gid.end + 1 };
}

function forEachMember(line: string, start: number, found: (member: string) => void): void {
  for (let at = start; at < line.length; ) {
    const comma = line.indexOf(',', at);
    const end = comma < 0 ? line.length : comma;
    // Blanks in front of a member are dropped, behind it they are part of it.
    const first = skipBlanks(line, at);
    if (first < end) found(line.slice(first, end));
    at = end + 1;
  }
}

/** isspace(3) in the C locale. */
function skipBlanks(line: string, start: number): number {
  let at = start;
  for (let code = line.charCodeAt(at); code === 0x20 || (code >= 0x09 && code <= 0x0d); code = line.charCodeAt(at)) at++;
  return at;
}

const DIGITS = /[+-]?(\d+)/y;

/** A number field, which a colon or the line's end has to follow: strtoul(3), cut off at 32 bits. */
function readNumber(line: string, start: number): { readonly value: number; readonly end: number } | undefined {
  let end = start;
  let value = 0;
  // Nearly all ids are a few plain digits.
  for (let code = line.charCodeAt(end); code >= 0x30 && code <= 0x39; code = line.charCodeAt(end)) {
    value = value * 10 + (code - 0x30);
    end++;
  }
  if (end === start || end - start > 9) {
    DIGITS.lastIndex = skipBlanks(line, start);
    const [text, digits = ''] = DIGITS.exec(line) ?? [];
    if (text === undefined) return undefined;
    end = DIGITS.lastIndex;
    value = clamp(digits, text[0] === '-');
  }
  return end === line.length || line[end] === ':' ? { value, end } : undefined;
}

const LONGEST = 2n ** 64n;

function clamp(digits: string, negative: boolean): number {
  const magnitude = digits.length > 40 && !/^0+/.test(digits) ? LONGEST : BigInt(digits);
  // strtoul negates in its own unsigned type, and gives the greatest number for what doesn't fit.
  const value = magnitude >= LONGEST ? LONGEST - 1n : negative ? BigInt.asUintN(64, -magnitude) : magnitude;
  return value > 0xffff_ffffn ? 0xffff_ffff : Number(value);
}
