import { type GroupIndex, parseGroup, parsePasswd } from './account-files.js';
import type { AccountDatabase, AccountGroup } from './database.js';
import { type WatchedFile, watchFile } from './watched-file.js';

/** Where the account files are; only tests have them elsewhere. */
export interface AccountPaths {
  readonly passwd: string;
  readonly group: string;
}

/** The account files, kept as an index for as long as they don't change. Nothing here waits for anything. */
export interface FilesDatabase extends AccountDatabase {
  /** The groups of an account of /etc/passwd. */
  find(account: string): readonly AccountGroup[] | undefined;
  /** The name that /etc/group has for an id. */
  groupName(gid: number): string | undefined;
  /** Some account and some group that are in the files. */
  anyNames(): { readonly account: string | undefined; readonly group: string | undefined };
}

/** @throws Error from every function, when a file can't be read */
export function openFiles(paths: AccountPaths): FilesDatabase {
  const passwd: WatchedFile<ReadonlyMap<string, number>> = watchFile(paths.passwd, parsePasswd);
  const group: WatchedFile<GroupIndex> = watchFile(paths.group, parseGroup);

  function find(account: string): readonly AccountGroup[] | undefined {
    const key = bytes(account);
    const primary = passwd.read().get(key);
    if (primary === undefined) return undefined;
    const { names, gids } = group.read();
    return [...new Set([primary, ...gids(key)])].map((gid) => ({ gid, name: decode(names.get(gid)) }));
  }

  return {
    find,
    lookup: async (account) => find(account),
    groupName: (gid) => decode(group.read().names.get(gid)),
    anyNames: () => ({ account: ordinary(passwd.read().keys()), group: ordinary(group.read().names.values()) }),
  };
}

/** A plain name, rather not one that name services treat specially (nss-systemd has root and nobody of its own). */
function ordinary(names: Iterable<string>): string | undefined {
  let special: string | undefined;
  for (const name of names) {
    if (!/^[a-z_][a-z0-9_-]*$/.test(name)) continue;
    if (!SPECIAL.has(name)) return name;
    special ??= name;
  }
  return special;
}

const SPECIAL: ReadonlySet<string> = new Set(['root', 'nobody', 'nogroup']);

function bytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

const ASCII = /^[\x20-\x7e]*$/;

function decode(name: string | undefined): string | undefined {
  return name === undefined || ASCII.test(name) ? name : Buffer.from(name, 'latin1').toString('utf8');
}
