import { readFileSync } from 'node:fs';
import { chmod, chown, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type DovecotOptions, type DovecotVersion, SPELLING } from '../support/dovecot.js';
import { serveBlock } from '../support/serve.js';
import { BASE_LDIF, PASSWORD, READER_DN, type Slapd, startSlapd } from '../support/slapd.js';
import { userdbDoor } from '../support/userdb-door.js';
import { SHELL_EXAMPLE } from './shell-example.js';

/** How a Dovecot gets the groups. */
export const NONE = 'no groups';
export const NONE_AGAIN = 'no groups, once more';
export const DOOR = 'acl-groups, userdb door';
export const DOOR_CACHED = 'acl-groups, userdb door, auth cache';
export const POST_LOGIN = 'acl-groups, post-login service';
export const SLAPD = 'slapd as userdb';
export const BARE = 'bare Node.js as userdb';
export const SHELL = 'shell example';
export const EXEC = 'acl-groups in a chain';
export const EXEC_CACHED = 'acl-groups in a chain, --cache-dir';

export const USERS: readonly string[] = Array.from({ length: 20 }, (_, index) => `user${index}`);
export const GROUPS: readonly string[] = ['acct', 'sales', 'support', 'board', 'project'];

/** One of those that are measured: what its Dovecot has beside what all have. */
export interface Rival {
  readonly name: string;
  readonly options: Partial<DovecotOptions>;
}

/** All rivals; `slapd` is where one of them asks. */
export function rivals(version: DovecotVersion, command: string, slapd: Slapd): readonly Rival[] {
  return [
    { name: NONE, options: {} },
    { name: NONE_AGAIN, options: {} },
    { name: DOOR, options: door(version, command) },
    { name: DOOR_CACHED, options: { ...door(version, command), authCache: true } },
    { name: POST_LOGIN, options: { postLoginSocket: 'acl-groups', config: serveBlock(version, command) } },
    { name: SLAPD, options: door(version, command, (text) => askingSlapd(text, version, slapd)) },
    { name: BARE, options: bareNode(version) },
    { name: SHELL, options: { files: { 'groups.sh': SHELL_EXAMPLE }, postLogin: (directory) => join(directory, 'groups.sh') } },
    { name: EXEC, options: { postLogin: command, config: noLimit(version) } },
    {
      name: EXEC_CACHED,
      options: {
        postLogin: (directory) => `${command} --cache-dir ${join(directory, CACHE_DIRECTORY)}`,
        config: noLimit(version),
        etc: { 'acl-groups.toml': '[cache]\nttl = "24h"\n' },
        prepare: makeCacheDirectory,
      },
    },
  ];
}

function door(version: DovecotVersion, command: string, adapt?: (text: string) => string): Partial<DovecotOptions> {
  return { userdbs: [{ driver: 'passwd', continues: true }], ...userdbDoor(version, command, adapt) };
}

/** The same blocks, with the least that Node.js can do in the place of `serve`: what is left is Node's and Dovecot's cost. */
function bareNode(version: DovecotVersion): Partial<DovecotOptions> {
  const script = 'bare-responder.mjs';
  const node = version === '2.3' ? process.execPath : '/usr/bin/node';
  const program = readFileSync(fileURLToPath(new URL('bare-responder.js', import.meta.url)), 'utf8');
  const { config, ...rest } = door(version, script, (text) => text.replace(`${script} serve`, `DIRECTORY/${script} ${GROUPS.join(',')}`));
  return {
    ...rest,
    files: { [script]: `#!${node}\n${program}` },
    config: (directory) => (typeof config === 'function' ? config(directory) : '').replace('DIRECTORY', directory),
  };
}

/** The userdb blocks of the package, with a directory in the service's place. */
function askingSlapd(text: string, version: DovecotVersion, { ldapi }: Slapd): string {
  const [dn, password] = version === '2.3' ? ['dn', 'dnpass'] : ['ldap_auth_dn', 'ldap_auth_dn_password'];
  return text
    .replace(/^service acl-groups \{\n.*?^\}\n/ms, '')
    .replace(/ldapi:\/\/\S+/, `${ldapi}\n${dn} = ${READER_DN}\n${password} = ${PASSWORD}`)
    .replace('dc=acl-groups', 'ou=people,dc=example,dc=test')
    .replace(/\(&(\(uid=[^()]*\))\(account=.*\)\)$/m, '$1')
    .replaceAll('aclGroups', 'description');
}

/** A slapd with an indexed entry for each user, whose description is the value of acl_groups. */
export async function startDirectory(): Promise<Slapd> {
  const entries = USERS.map(
    (user) =>
      `dn: uid=${user},ou=people,dc=example,dc=test\nobjectClass: account\nuid: ${user}\ndescription: ${[user, ...GROUPS].join(',')}\n\n`,
  );
  const slapd = await startSlapd({ ldif: BASE_LDIF + entries.join(''), quiet: true });
  // Dovecot's auth process isn't root.
  await chmod(slapd.directory, 0o755);
  return slapd;
}

const CACHE_DIRECTORY = 'answers';

/** What --cache-dir needs: a directory of the post-login service's user, closed to others. */
async function makeCacheDirectory({ directory: world, etc }: Parameters<NonNullable<DovecotOptions['prepare']>>[0]): Promise<void> {
  const directory = join(world, CACHE_DIRECTORY);
  const [, uid, gid] = /^dovecot:[^:]*:(\d+):(\d+):/m.exec(await readFile(join(etc, 'passwd'), 'utf8')) ?? [];
  await mkdir(directory, { mode: 0o700 });
  await chown(directory, Number(uid), Number(gid));
}

/** Node.js needs more address space than a script: with too little, the launcher starts it without its compiler, which takes longer. */
function noLimit(version: DovecotVersion): string {
  return `service imap-postlogin {\n  vsz_limit = ${SPELLING[version].noLimit}\n}\n`;
}
