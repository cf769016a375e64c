import { run } from './programs.js';

/** Whom a process runs as. */
export interface Identity {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** All groups, by id. */
  readonly groups: readonly number[];
}

/** The identity that Dovecot's master gives a service, by the names that dovecot.conf has; `undefined` for an account that isn't there. */
export async function identityOf(user: string, group = '', extraGroups: readonly string[] = []): Promise<Identity | undefined> {
  const [uid, gid, groups] = await Promise.all(['-u', '-g', '-G'].map((option) => run('id', [option, '--', user])));
  if (uid?.status !== 0 || gid?.status !== 0) return undefined;
  const numbers = (text = ''): readonly number[] =>
    text
      .split(/\s+/)
      .filter((word) => word !== '')
      .map(Number);
  const more = await Promise.all([group, ...extraGroups].filter((name) => name !== '').map(gidOf));
  const [own = Number(gid.stdout)] = group === '' ? [] : more;
  return { name: user, uid: Number(uid.stdout), gid: own, groups: [...numbers(groups?.stdout), ...more.filter((id) => id !== undefined)] };
}

async function gidOf(name: string): Promise<number | undefined> {
  const { status, stdout } = await run('getent', ['group', '--', name]);
  return status === 0 ? Number(stdout.split(':')[2]) : undefined;
}
