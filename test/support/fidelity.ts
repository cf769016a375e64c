/**
 * Do names arrive as they are? Gives users groups with generated names, logs them in, and compares what Dovecot says it added with
 * what was given: by acl-groups, and by the shell example of Dovecot's documentation.
 */
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { formatTable, PLAIN } from '../../src/terminal/table.js';
import { writeShellExample } from '../bench/shell-example.js';
import { type Dovecot, type DovecotOptions, startDovecot, type VirtualUser } from './dovecot.js';
import { groupName, startsSpecially } from './names.js';
import { serveBlock } from './serve.js';
import { userdbDoor } from './userdb-door.js';
import type { DovecotVersion } from './world.js';

/** How one way of passing names on did. All numbers but `logins` and `failedLogins` count names. */
export interface Fidelity {
  readonly way: string;
  readonly version: DovecotVersion;
  /** Names that users were given. */
  readonly given: number;
  /** Names that this version's value can't express; they have to be left out, and were. */
  readonly inexpressible: number;
  /** Names that Dovecot added as they are. */
  readonly arrived: number;
  /** Names that should have arrived and did not, with what Dovecot added in that login instead. */
  readonly lost: readonly { readonly name: string; readonly added: readonly string[] }[];
  /** Groups that Dovecot added although nobody had given them. */
  readonly invented: readonly string[];
  readonly logins: number;
  /** Logins that ended with an error. */
  readonly failedLogins: number;
}

/** What the documentation's way is called in results. */
export const SHELL_EXAMPLE = 'shell example';

/** Different names, the same ones for the same seed. */
export function generateNames(count: number, seed: number): readonly string[] {
  const names = new Set<string>();
  for (let round = 0; names.size < count; round++) {
    for (const name of fc.sample(groupName, { numRuns: count, seed: seed + round })) {
      if (names.size < count) names.add(name);
    }
  }
  return [...names];
}

export interface FidelityOptions {
  readonly version: DovecotVersion;
  readonly names: readonly string[];
  /** Called with the number of names that have been dealt with since the last call. */
  readonly progress?: ((names: number) => void) | undefined;
}

/** A provider of somebody else's, which has the groups of each user in a JSON file beside it. */
const PROVIDER = `import { readFileSync } from 'node:fs';
const users = JSON.parse(readFileSync(new URL('fidelity.json', import.meta.url), 'utf8'));
export default {
  name: 'fidelity',
  description: 'generated names',
  options: {},
  create: () => ({ groups: async ({ name }) => users[name]?.map((group) => ({ name: group })) }),
};
`;

/** Room for Node at its full speed; what the launcher does with little room is another suite's subject. */
const NO_LIMIT: Readonly<Record<DovecotVersion, string>> = { '2.3': 'default_vsz_limit = 0', '2.4': 'default_vsz_limit = unlimited' };

/** The ways into Dovecot: `serve` is the post-login service, `userdb` the same one asked by Dovecot's auth process. */
export type Mode = (typeof MODES)[number];
export const MODES = ['exec', 'serve', 'userdb'] as const;

/** What is measured of acl-groups. */
export interface AclGroupsOptions extends FidelityOptions {
  readonly mode: Mode;
  /** The installed command. */
  readonly command: string;
  readonly perLogin: number;
}

/** Many names to a login. */
export async function measureAclGroups(options: AclGroupsOptions): Promise<Fidelity> {
  const { version, names, mode, perLogin, progress } = options;
  const users = new Map<string, readonly string[]>();
  for (const given of shareOut(names, perLogin, mode === 'userdb' ? ROOM : Number.POSITIVE_INFINITY)) users.set(`u${users.size}`, given);
  const virtualUsers = [...users.keys()].map((name) => ({ name }));
  const dovecot = await startDovecot({
    version,
    virtualUsers,
    etc: {
      'acl-groups.toml': 'providers = ["./fidelity.mjs"]\n',
      'fidelity.mjs': PROVIDER,
      'fidelity.json': JSON.stringify(Object.fromEntries(users)),
    },
    ...wayIn(options, virtualUsers),
  });
  try {
    const tally = startTally(mode, version);
    for (const [user, given] of users) {
      tally.add(given, [], await login(dovecot, user));
      progress?.(given.length);
    }
    return tally.result();
  } finally {
    await dovecot.stop();
  }
}

function wayIn({ mode, version, command }: AclGroupsOptions, users: readonly VirtualUser[]): Partial<DovecotOptions> {
  switch (mode) {
    case 'exec':
      return { postLogin: command, config: NO_LIMIT[version] };
    case 'serve':
      return { postLoginSocket: 'acl-groups', config: serveBlock(version, command) };
    case 'userdb':
      return { userdbs: [{ driver: 'passwd-file', continues: true, users }], ...userdbDoor(version, command) };
  }
}

/** The bytes of names that surely fit into a userdb reply beside Dovecot's own fields, which take a KiB of its 8. */
const ROOM = 7000;

/** What a name takes at most: each character that a notation treats specially is written as four, and there are quotes and a separator. */
function mostBytes(name: string): number {
  return Buffer.byteLength(name) + 3 * (name.match(/[\\"%]/g)?.length ?? 0) + 3;
}

/** The names of each login. As many as there are become the start of a value that may mean something there. */
function shareOut(names: readonly string[], perLogin: number, room: number): readonly (readonly string[])[] {
  const starts = names.filter(startsSpecially).slice(0, Math.ceil(names.length / perLogin));
  const first = new Set(starts);
  const others = names.filter((name) => !first.has(name));
  const logins: string[][] = [];
  for (let next = 0; next < others.length || logins.length < starts.length; ) {
    const login = starts.slice(logins.length, logins.length + 1);
    let bytes = login.reduce((sum, name) => sum + mostBytes(name), 0);
    for (let name = others[next]; name !== undefined && login.length < perLogin && bytes + mostBytes(name) <= room; name = others[++next]) {
      bytes += mostBytes(name);
      login.push(name);
    }
    logins.push(login);
  }
  return logins;
}

/**
 * By the documentation's shell example, which reads the UNIX groups. One name to a login, so that a name which ends the login spoils
 * no other. Names that /etc/group can't hold, by what `id -Gnz` makes of it, aren't given to anybody.
 */
export async function measureShellExample({ version, names, progress }: FidelityOptions): Promise<Fidelity> {
  const accounts = names.map((_, index) => ({ name: `u${index}` }));
  const dovecot = await startDovecot({
    version,
    accounts,
    postLogin: (directory) => writeShellExample(join(directory, 'shell-example')),
  });
  try {
    const lines = names.map((name, index) => (name.includes(':') ? '' : `${name}:x:${100_000 + index}:u${index}\n`));
    await appendFile(join(dovecot.world.etc, 'group'), lines.join(''));
    const groups = await unixGroups(dovecot, names.length);
    const tally = startTally(SHELL_EXAMPLE, version);
    for (const [index, name] of names.entries()) {
      const [primary = '', ...others] = groups[index] ?? [];
      if (others.length === 1 && others[0] === name) tally.add([name], [primary], await login(dovecot, `u${index}`));
      progress?.(1);
    }
    return tally.result();
  } finally {
    await dovecot.stop();
  }
}

/** The groups of the accounts u0, u1 and so on, by `id`. */
async function unixGroups({ world }: Dovecot, count: number): Promise<readonly (readonly string[])[]> {
  const script = 'i=0; while [ $i -lt $1 ]; do id -Gnz u$i; echo; i=$((i+1)); done';
  const { stdout } = await world.run(['sh', '-c', script, 'sh', String(count)]);
  return stdout.split('\n').map((line) => line.split('\0').slice(0, -1));
}

/** The results side by side, for people. `count` is how many names there were. */
export function formatReport(results: readonly Fidelity[], count: number): string {
  const titles = ['names to Dovecot', 'by', 'given', 'arrived', 'lost', "can't be written", 'logins', 'failed', 'groups that nobody gave'];
  const rows = results.map((result) => {
    const { version, way, given, arrived, lost, inexpressible, logins, failedLogins, invented } = result;
    return [version, way, ...[given, arrived, lost.length, inexpressible, logins, failedLogins, invented.length].map(String)];
  });
  const fewer = results.find(({ given }) => given < count);
  const note = fewer && `  ${fewer.way}: ${count - fewer.given} names left out, because /etc/group can't hold them\n`;
  return formatTable([titles, ...rows], PLAIN) + (note ?? '');
}

interface Login {
  readonly failed: boolean;
  readonly added: readonly string[];
}

/** Logs a user in and out, and reads in the log how it went. */
async function login({ imap, session }: Dovecot, user: string): Promise<Login> {
  const client = await imap();
  const reply = await client.command(`LOGIN ${user} secret`).catch(() => undefined);
  if (reply?.status === 'OK') await client.command('LOGOUT').catch(() => undefined);
  client.destroy();
  const { loggedIn, groups } = await session(client);
  return { failed: reply?.status !== 'OK' || !loggedIn, added: groups };
}

interface Tally {
  /** Counts one login: `given` is what is looked at, `besides` what the user has as well. */
  add(given: readonly string[], besides: readonly string[], login: Login): void;
  result(): Fidelity;
}

function startTally(way: string, version: DovecotVersion): Tally {
  const counts = { given: 0, inexpressible: 0, arrived: 0, logins: 0, failedLogins: 0 };
  const lost: { name: string; added: readonly string[] }[] = [];
  const invented: string[] = [];
  return {
    add(given, besides, { failed, added }) {
      counts.logins += 1;
      counts.failedLogins += failed ? 1 : 0;
      counts.given += given.length;
      const granted = new Set(failed ? [] : added);
      for (const name of given) {
        // Nothing can say a comma to 2.3.
        if (version === '2.3' && name.includes(',')) counts.inexpressible += 1;
        else if (granted.has(name)) counts.arrived += 1;
        else lost.push({ name, added });
      }
      const asked = new Set([...given, ...besides]);
      invented.push(...added.filter((name) => !asked.has(name)));
    },
    result: () => ({ way, version, ...counts, lost, invented }),
  };
}
