import { type AclLine, groupsInAclFile } from './acl-file.js';
import { aclFilesAt } from './acl-tree.js';

/** What ACLs say of groups. */
export interface Acls {
  /** How many files, or blocks of dovecot.conf, were read. */
  readonly count: number;
  /** The groups that they name, with the places. */
  readonly named: ReadonlyMap<string, readonly string[]>;
  /** Those that they take rights from. */
  readonly negative: ReadonlyMap<string, readonly string[]>;
  readonly unread: readonly { readonly path: string; readonly problem: string }[];
}

/** What an ACL says of a group, and where it stands. */
export interface NamedGroup extends AclLine {
  readonly place: string;
}

/** Reads the ACL files at some paths. */
export function readAcls(paths: readonly string[]): Acls {
  const groups: NamedGroup[] = [];
  const unread: { path: string; problem: string }[] = [];
  let files = 0;
  for (const { path, text, problem = '' } of paths.flatMap((root) => [...aclFilesAt(root)])) {
    if (text === undefined) {
      unread.push({ path, problem });
      continue;
    }
    files++;
    groups.push(...groupsInAclFile(text).map((line) => ({ ...line, place: path })));
  }
  return gatherAcls(groups, files, unread);
}

/** The groups by their names. */
export function gatherAcls(groups: readonly NamedGroup[], count: number, unread: Acls['unread']): Acls {
  return { count, named: placesOf(groups), negative: placesOf(groups.filter(({ negative }) => negative)), unread };
}

function placesOf(groups: readonly NamedGroup[]): ReadonlyMap<string, readonly string[]> {
  const map = new Map<string, Set<string>>();
  for (const { group, place } of groups) {
    const places = map.get(group) ?? new Set();
    map.set(group, places.add(place));
  }
  return new Map([...map].map(([group, places]) => [group, [...places]]));
}

/** What several sources of ACLs say, as one. */
export function joinAcls(all: readonly Acls[]): Acls {
  const groups = all.flatMap(({ named, negative }) =>
    [...named].flatMap(([group, places]) =>
      places.map((place) => ({ group, place, negative: negative.get(group)?.includes(place) === true })),
    ),
  );
  return gatherAcls(
    groups,
    all.reduce((sum, { count }) => sum + count, 0),
    all.flatMap(({ unread }) => unread),
  );
}
