/** What one line of an ACL file says of a group. */
export interface AclLine {
  readonly group: string;
  /** Whether it takes rights away: then who loses the group gains them. */
  readonly negative: boolean;
}

/** What an ACL identifier can be (plugins/acl/acl-api.c, acl_identifier_parse). */
const IDENTIFIER = /^-?(?:(?:user|group|group-override)=|(?:owner|anyone|anonymous|authenticated)$)/;

/**
 * The groups that an ACL file names: a mailbox's `dovecot-acl`, whose lines are `identifier rights`, or a global ACL file, whose lines have
 * the mailboxes in front. Words may be in quotes, with backslashes (acl-rights.c, acl-global-file.c). Lines that say nothing of groups, and
 * those that can't be read, are skipped.
 */
export function groupsInAclFile(text: string): readonly AclLine[] {
  return text.split('\n').flatMap((line): readonly AclLine[] => {
    if (line === '' || line.startsWith('#')) return [];
    const [first, rest] = takeWord(line.replace(/\r$/, ''));
    const identifier = IDENTIFIER.test(first) ? first : takeWord(rest)[0];
    const found = groupInIdentifier(identifier);
    return found === undefined ? [] : [found];
  });
}

/** The group that an identifier names, such as `-group=staff`; `undefined` for one of a user or of everybody. */
export function groupInIdentifier(identifier: string): AclLine | undefined {
  const [, minus, group] = /^(-?)group(?:-override)?=(.+)$/s.exec(identifier) ?? [];
  return group === undefined ? undefined : { group, negative: minus === '-' };
}

/** The first word, quotes undone, and what is behind it. */
function takeWord(line: string): readonly [word: string, rest: string] {
  const [whole, inner] = /^"((?:[^"\\]|\\.)*)"(?: |$)/.exec(line) ?? [];
  if (whole !== undefined && inner !== undefined) return [inner.replace(/\\(.)/g, '$1'), line.slice(whole.length)];
  const blank = line.indexOf(' ');
  return blank < 0 ? [line, ''] : [line.slice(0, blank), line.slice(blank + 1)];
}

/** The name that is most like another; `undefined` where none is much like it. */
export function nearestName(name: string, names: Iterable<string>): string | undefined {
  const most = Math.max(1, Math.floor(name.length / 3));
  let nearest: { readonly name: string; readonly distance: number } | undefined;
  for (const other of names) {
    if (Math.abs(other.length - name.length) > most) continue;
    // Case is what people get wrong first, and Dovecot compares it.
    const distance = other.toLowerCase() === name.toLowerCase() ? 0 : editDistance(name, other);
    if (distance <= most && (nearest === undefined || distance < nearest.distance)) nearest = { name: other, distance };
  }
  return nearest?.name;
}

/** How many characters have to be added, removed, replaced or swapped with the next one (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let before: readonly number[] = [];
  let row: readonly number[] = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (before[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      next.push(Math.min(replaced, swapped, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    [before, row] = [row, next];
  }
  return row[b.length] ?? 0;
}
