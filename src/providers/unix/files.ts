import { decodeName } from '../../support/group-lines.js';
import { watchFile } from '../../support/watched-file.js';
import { indexGroup, indexPasswd } from './account-files.js';
import type { AccountDatabase, AccountGroup, AccountPaths } from './database.js';

/** The account files, kept for as long as they don't change. Nothing here waits for anything. */
export interface FilesDatabase extends AccountDatabase {
  /** The groups of an account of /etc/passwd. */
  find(account: string): readonly AccountGroup[] | undefined;
  /** The names that /etc/group has for ids. */
  groupNames(gids: readonly number[]): ReadonlyMap<number, string>;
  /** How many accounts and how many different group ids the files have. */
  counts(): { readonly accounts: number; readonly groups: number };
  /** Some account and some group that are in the files. */
  anyNames(): { readonly account: string | undefined; readonly group: string | undefined };
}

/**
 * Without `includePrimary`, an account's primary group only where it lists the account as a member.
 * @throws Error from every function, when a file can't be read
 */
export function openFiles(paths: AccountPaths, includePrimary = true): FilesDatabase {
  const passwd = watchFile(paths.passwd, indexPasswd);
  const group = watchFile(paths.group, indexGroup);

  function find(account: string): readonly AccountGroup[] | undefined {
    const key = Buffer.from(account, 'utf8').toString('latin1');
    const primary = passwd.read().get(key);
    if (primary === undefined) return undefined;
    const { gids, names } = group.read();
    const distinct = new Set([...(includePrimary ? [primary] : []), ...(gids.get(key) ?? [])]);
    return [...distinct].map((gid) => ({ gid, name: decode(names.get(gid)) }));
  }

  return {
    find,
    lookup: async (account) => find(account),
    groupNames(gids) {
      const { names } = group.read();
      return new Map(
        gids.flatMap((gid) => {
          const name = decode(names.get(gid));
          return name === undefined ? [] : [[gid, name] as const];
        }),
      );
    },
    counts: () => ({ accounts: passwd.read().size, groups: group.read().names.size }),
    anyNames: () => ({ account: ordinaryName(passwd.read().keys()), group: ordinaryName(group.read().names.values()) }),
  };
}

/** A plain name, rather not one that name services treat specially (nss-systemd has root and nobody of its own). */
function ordinaryName(names: Iterable<string>): string | undefined {
  let special: string | undefined;
  for (const name of names) {
    if (!PLAIN.test(name)) continue;
    if (!SPECIAL.has(name)) return name;
    special ??= name;
  }
  return special;
}

const PLAIN = /^[a-z_][a-z0-9_-]*$/;
const SPECIAL: ReadonlySet<string> = new Set(['root', 'nobody', 'nogroup']);

function decode(name: string | undefined): string | undefined {
  return name === undefined ? undefined : decodeName(name);
}
