import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A UNIX account of a world. */
export interface Account {
  readonly name: string;
  /** From 10,001 on, by position. */
  readonly uid?: number;
  /** The primary group, which is made unless `groups` has it; the user's own name unless given. */
  readonly group?: string;
}

/** What a world's /etc has beside the programs' own configuration. */
export interface EtcOptions {
  readonly accounts?: readonly Account[];
  /** Members by group, in the order of /etc/group; ids above 20,000. Not one of Debian's own names. */
  readonly groups?: Readonly<Record<string, readonly string[]>>;
  /** Files below /etc by relative path: `{ 'acl-groups.toml': text, group: text }` adds or replaces. */
  readonly etc?: Readonly<Record<string, string>>;
}

/** Directories of sockets by which the C library would ask daemons of this machine, which know its accounts: hidden from tests. */
const NAME_DAEMONS: readonly string[] = ['/run/nscd', '/run/systemd/userdb'];

/** Shell: hides them. */
export const HIDE_NAME_DAEMONS: string = `for path in ${NAME_DAEMONS.join(' ')}; do [ ! -d $path ] || mount -t tmpfs none $path; done`;

/** Runs as root in a new mount namespace: $1 is the world's /etc, $2 its root directory or nothing; the rest is the command. */
export const WORLD_ENTER: string = `
set -e
mount --bind "$1" "$2/etc"
if [ -n "$2" ]; then
  mount --bind /tmp "$2/tmp"
  mount --rbind /proc "$2/proc"
  mount --rbind /dev "$2/dev"
  root=$2; shift 2; exec setpriv --pdeathsig TERM -- chroot "$root" "$@"
fi
${HIDE_NAME_DAEMONS}
shift 2; exec setpriv --pdeathsig TERM -- "$@"`;

/** What of this machine's /etc says who is there and whom to ask. A world has none of it. */
const OF_THE_MACHINE: readonly string[] = [
  ...['passwd', 'group', 'shadow', 'gshadow', 'subuid', 'subgid'].flatMap((file) => [file, `${file}-`]),
  ...['nslcd.conf', 'ldap/ldap.conf', 'userdb', 'netgroup', 'acl-groups.toml', 'ld.so.preload'],
];

/** The accounts that Dovecot's own processes run as. */
const DOVECOT_ACCOUNTS: readonly string[] = ['dovecot', 'dovenull'];

/** Makes a world's /etc: programs' configuration as in `root`, Debian's own accounts, the test's, and the test's files. */
export async function makeEtc(etc: string, root: string, options: EtcOptions, directory: string): Promise<void> {
  await promisify(execFile)('cp', ['-a', `${root}/etc`, etc]);
  for (const file of OF_THE_MACHINE) await rm(join(etc, file), { recursive: true, force: true });
  // What it takes to reach a package registry from in there.
  if (root !== '')
    await Promise.all(['resolv.conf', 'hosts'].map((file) => cp(join('/etc', file), join(etc, file), { dereference: true })));
  const files = {
    ...accountFiles(await debianAccounts(root), options, directory),
    'nsswitch.conf': 'passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n',
    ...options.etc,
  };
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(etc, path, '..'), { recursive: true });
    await writeFile(join(etc, path), text);
  }
}

interface AccountFiles {
  readonly passwd: string;
  readonly group: string;
}

/** The accounts that every Debian has, and Dovecot's, which keep the ids that they have in `root`: files belong to them. */
async function debianAccounts(root: string): Promise<AccountFiles> {
  const read = (path: string): Promise<string> => readFile(`${root}${path}`, 'utf8');
  const [passwd, group] = await Promise.all(['passwd', 'group'].map((name) => read(`/usr/share/base-passwd/${name}.master`)));
  const accounts = lines(await read('/etc/passwd')).filter(([name = '']) => DOVECOT_ACCOUNTS.includes(name));
  const gids = accounts.map(([, , , gid]) => gid);
  const groups = lines(await read('/etc/group')).filter(([name = '', , gid]) => DOVECOT_ACCOUNTS.includes(name) || gids.includes(gid));
  return {
    passwd: `${passwd}${accounts.map((line) => `${line.join(':')}\n`).join('')}`,
    group: `${group}${groups.map(([name, , gid]) => `${name}:x:${gid}:\n`).join('')}`,
  };
}

function accountFiles(base: AccountFiles, { accounts = [], groups = {} }: EtcOptions, directory: string): AccountFiles {
  const gids = new Map(lines(base.group).map(([name = '', , gid]) => [name, Number(gid)]));
  const wanted = new Map(Object.entries(groups));
  for (const { name, group = name } of accounts) if (!wanted.has(group)) wanted.set(group, []);
  for (const name of wanted.keys()) {
    if (gids.has(name)) throw new Error(`the group ${name} is Debian's own: choose another name`);
    gids.set(name, 20_001 + gids.size);
  }
  const passwd = accounts.map(
    ({ name, uid, group = name }, index) => `${name}:x:${uid ?? 10_001 + index}:${gids.get(group)}::${directory}/home/${name}:/bin/sh\n`,
  );
  const group = [...wanted].map(([name, members]) => `${name}:x:${gids.get(name)}:${members.join(',')}\n`);
  return { passwd: base.passwd + passwd.join(''), group: base.group + group.join('') };
}

function lines(text: string): readonly (readonly string[])[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(':'));
}
