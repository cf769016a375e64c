/**
 * The grammar of group(5): lines of `name:password:gid:member,member`, for the two readers that there are.
 *
 * | | `unix`, as glibc reads /etc/group | `file`, strict |
 * |---|---|---|
 * | a line that can't be read | skipped | the file is refused: a lost group can widen access, because ACLs have negative rights |
 * | the gid | strtoul(3): blanks in front, a sign, any length | digits up to 4294967294, or nothing |
 * | fields | the members may be missing | all four |
 * | `#` after blanks, `+` or `-` in front of a name (NIS compat) | no group, but its members count as members of the id | a comment; refused |
 * | blanks behind a member or a name | part of it | dropped from a member, which Windows editors end with a CR; refused in a name |
 * | a NUL | ends the line | refused |
 * | a name on two lines | two groups | one group with the members of both |
 *
 * Everything else is the same for both, and is here: blanks in front of a name or a member don't count, empty members don't either, and
 * the last field goes on to the end of the line, colons included.
 *
 * Texts are "binary" strings, one character a byte, because names are bytes that need not be UTF-8. Nothing here looks at a character more
 * than a few times, whatever the file holds: places are found by walking, never by searching beyond the line.
 * @module
 */

/** What is read of a text, so that tests can count the work. */
export type Bytes = Pick<string, 'length' | 'charCodeAt' | 'indexOf' | 'slice'>;

/** Where the fields of a line are. Places beyond the line's end stand for missing fields. */
export interface GroupLine {
  /** What the first character that isn't blank says: `#`, or an entry of the NIS compat service. */
  readonly kind: 'group' | 'comment' | 'compat' | 'empty';
  readonly nameStart: number;
  readonly nameEnd: number;
  readonly gidStart: number;
  readonly gidEnd: number;
  readonly membersStart: number;
}

export const PLUS = 0x2b;
export const MINUS = 0x2d;
export const COLON = 0x3a;
const NUMBER_SIGN = 0x23;
const COMMA = 0x2c;

/** Calls back with the start and the end of each line; an end of line at the text's end begins no other. */
export function forEachLine(text: Bytes, visit: (start: number, end: number) => void): void {
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    visit(start, end);
    start = end + 1;
  }
}

/** The fields of the line between two places. */
export function splitGroupLine(text: Bytes, start: number, end: number): GroupLine {
  const nameStart = skipBlanks(text, start, end);
  const nameEnd = findColon(text, nameStart, end);
  const gidStart = findColon(text, nameEnd + 1, end) + 1;
  const gidEnd = findColon(text, gidStart, end);
  return { kind: kindOf(text, nameStart, end), nameStart, nameEnd, gidStart, gidEnd, membersStart: gidEnd + 1 };
}

/** What a line of group(5) or passwd(5) is, by its first character that isn't blank. */
export function kindOf(text: Bytes, first: number, end: number): GroupLine['kind'] {
  if (first >= end) return 'empty';
  const mark = text.charCodeAt(first);
  if (mark === NUMBER_SIGN) return 'comment';
  return mark === PLUS || mark === MINUS ? 'compat' : 'group';
}

/** Calls back with the start and the end of each member between two places; blanks behind it are within. */
export function forEachMember(text: Bytes, start: number, end: number, found: (from: number, to: number) => void): void {
  for (let at = start; at < end; ) {
    const from = skipBlanks(text, at, end);
    let to = from;
    while (to < end && text.charCodeAt(to) !== COMMA) to++;
    if (from < to) found(from, to);
    at = to + 1;
  }
}

/** The place of the next colon, or the line's end. */
export function findColon(text: Bytes, start: number, end: number): number {
  let at = start;
  while (at < end && text.charCodeAt(at) !== COLON) at++;
  return at;
}

/** isspace(3) in the C locale. */
export function isBlank(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}

/** The place of the first character that isn't blank, or the end. */
export function skipBlanks(text: Bytes, start: number, end: number): number {
  let at = start;
  while (at < end && isBlank(text.charCodeAt(at))) at++;
  return at;
}

const ASCII = /^[\x20-\x7e]*$/;

/** The name that bytes stand for; what isn't UTF-8 becomes U+FFFD. */
export function decodeName(bytes: string): string {
  return ASCII.test(bytes) ? bytes : Buffer.from(bytes, 'latin1').toString('utf8');
}
