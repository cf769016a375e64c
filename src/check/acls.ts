import { groupsInAclFile } from './acl-file.js';
import { aclFilesAt } from './acl-tree.js';

/** What ACL files say of groups. */
export interface Acls {
  /** How many files were read. */
  readonly files: number;
  /** The groups that they name, with the files. */
  readonly named: ReadonlyMap<string, readonly string[]>;
  /** Those that they take rights from. */
  readonly negative: ReadonlyMap<string, readonly string[]>;
  readonly unread: readonly { readonly path: string; readonly problem: string }[];
}

/** Reads the ACL files at some paths. */
export function readAcls(paths: readonly string[]): Acls {
  const named = new Map<string, string[]>();
  const negative = new Map<string, string[]>();
  const unread: { path: string; problem: string }[] = [];
  let files = 0;
  for (const { path, text, problem = '' } of paths.flatMap((root) => [...aclFilesAt(root)])) {
    if (text === undefined) {
      unread.push({ path, problem });
      continue;
    }
    files++;
    for (const line of groupsInAclFile(text)) {
      note(named, line.group, path);
      if (line.negative) note(negative, line.group, path);
    }
  }
  return { files, named, negative, unread };
}

function note(map: Map<string, string[]>, group: string, path: string): void {
  const paths = map.get(group);
  if (paths === undefined) map.set(group, [path]);
  else if (!paths.includes(path)) paths.push(path);
}
