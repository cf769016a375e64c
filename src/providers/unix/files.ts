import { watchFile } from '../../support/watched-file.js';
import {
  type GroupFile,
  indexGroup,
  indexPasswd,
  type Passwd,
  searchMember,
  searchNames,
  searchPasswd,
  withoutNuls,
} from './account-files.js';
import type { AccountDatabase, AccountGroup } from './database.js';

/** Where the account files are; only tests have them elsewhere. */
export interface AccountPaths {
  readonly passwd: string;
  readonly group: string;
}

/** The account files, kept for as long as they don't change. Nothing here waits for anything. */
export interface FilesDatabase extends AccountDatabase {
  /** The groups of an account of /etc/passwd. */
  find(account: string): readonly AccountGroup[] | undefined;
  /** The names that /etc/group has for ids. */
  groupNames(gids: readonly number[]): ReadonlyMap<number, string>;
  /** Some account and some group that are in the files. */
  anyNames(): { readonly account: string | undefined; readonly group: string | undefined };
}

/** @throws Error from every function, when a file can't be read */
export function openFiles(paths: AccountPaths): FilesDatabase {
  const passwd = watchFile(paths.passwd, (text) => readPasswd(withoutNuls(text)));
  const group = watchFile(paths.group, (text) => readGroup(withoutNuls(text)));

  function find(account: string): readonly AccountGroup[] | undefined {
    const key = Buffer.from(account, 'utf8').toString('latin1');
    const primary = passwd.read().primary(key);
    if (primary === undefined) return undefined;
    const file = group.read();
    const gids = [...new Set([primary, ...file.gids(key)])];
    const names = file.names(gids);
    return gids.map((gid) => ({ gid, name: decode(names.get(gid)) }));
  }

  return {
    find,
    lookup: async (account) => find(account),
    groupNames(gids) {
      const names = group.read().names(gids);
      return new Map(
        gids.flatMap((gid) => {
          const name = decode(names.get(gid));
          return name === undefined ? [] : [[gid, name] as const];
        }),
      );
    },
    anyNames: () => ({ account: ordinaryName(passwd.read().text), group: ordinaryName(group.read().text) }),
  };
}

interface WithText {
  readonly text: string;
}

/** Searched for the first account, indexed for the second: exec mode never asks for a second one. */
function readPasswd(text: string): Passwd & WithText {
  const index = onSecondUse(() => indexPasswd(text));
  return {
    text,
    primary(account) {
      const indexed = index();
      return indexed === undefined ? searchPasswd(text, account) : indexed.get(account);
    },
  };
}

function readGroup(text: string): GroupFile & WithText {
  let made: ReturnType<typeof indexGroup> | undefined;
  const index = (): ReturnType<typeof indexGroup> => {
    made ??= indexGroup(text);
    return made;
  };
  // One question asks for both, so each has a first time of its own.
  const [forGids, forNames] = [onSecondUse(index), onSecondUse(index)];
  return {
    text,
    gids(member) {
      const indexed = forGids();
      return indexed === undefined ? searchMember(text, member) : (indexed.gids.get(member) ?? []);
    },
    names: (gids) => forNames()?.names ?? searchNames(text, gids),
  };
}

/** `undefined` the first time, what `make` makes from then on. */
function onSecondUse<Value>(make: () => Value): () => Value | undefined {
  let used = false;
  let made: Value | undefined;
  return () => {
    if (used) made ??= make();
    used = true;
    return made;
  };
}

/** A plain name from the start of a line, rather not one that name services treat specially (nss-systemd has root and nobody of its own). */
function ordinaryName(text: string): string | undefined {
  let special: string | undefined;
  for (const [, name = ''] of text.matchAll(/^([a-z_][a-z0-9_-]*):[^:\n]*:\d{1,9}:/gm)) {
    if (!SPECIAL.has(name)) return name;
    special ??= name;
  }
  return special;
}

const SPECIAL: ReadonlySet<string> = new Set(['root', 'nobody', 'nogroup']);

const ASCII = /^[\x20-\x7e]*$/;

function decode(name: string | undefined): string | undefined {
  return name === undefined || ASCII.test(name) ? name : Buffer.from(name, 'latin1').toString('utf8');
}
