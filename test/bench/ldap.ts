import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Client, type Entry, escapeFilter } from 'ldapts';
import { parseOptions } from '../../src/config/options.js';
import provide from '../../src/providers/ldap/definition.js';
import { createLogger } from '../../src/support/log.js';
import { loginUser } from '../support/ldap.js';
import { bigDirectory, GROUPS, PEOPLE } from '../support/ldap-content.js';
import { PASSWORD, READER_DN, type Slapd, startSlapd } from '../support/slapd.js';
import { type BenchContext, NotPossible } from './benchmark.js';
import { alternate, concurrently, timed } from './measure.js';
import { type Table, tabulate } from './report.js';
import { openSssd } from './sssd.js';

const OURS = 'acl-groups';
const BARE = 'bare ldapts';

/** Who finds groups, on a connection of its own. */
interface Finder {
  /** The names of a user's groups. */
  names(user: string): Promise<readonly string[] | undefined>;
  close(): Promise<void>;
}

/** Groups from a real slapd, against ldapts making the same searches with nothing around it. */
export async function* ldap({ short, progress }: BenchContext): AsyncGenerator<Table> {
  if (!existsSync('/usr/sbin/slapd')) throw new NotPossible("slapd is missing; install Debian's package slapd");
  const slapd = await startSlapd({ ldif: bigDirectory('rfc2307bis', { elsewhere: false }).ldif, rfc2307bis: true, quiet: true });
  const open: Readonly<Record<string, () => Promise<Finder>>> = { [OURS]: async () => openOurs(slapd), [BARE]: () => openBare(slapd) };
  const warm: [string, Finder][] = [];
  try {
    for (const [name, connect] of Object.entries(open)) warm.push([name, await connect()]);
    await requireSame(warm, ['user17', 'user9700', 'alice']);
    const people = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `user${(index * 97) % 10_000}`);
    const once = (finder: Finder, user: string) => timed(() => finder.names(user));
    const rows: readonly { title: string; contestants: readonly { name: string; round: () => ReturnType<typeof concurrently> }[] }[] = [
      {
        title: 'cold: connect, bind, and look up a user in five groups',
        contestants: Object.entries(open).map(([name, connect]) => ({
          name,
          round: () =>
            concurrently(
              20,
              1,
              timed(async () => {
                const finder = await connect();
                await finder.names('user17');
                await finder.close();
              }),
            ),
        })),
      },
      {
        title: 'warm: a user in five groups',
        contestants: warm.map(([name, finder]) => ({
          name,
          round: () => concurrently(100, 1, (index) => once(finder, `user${index * 97}`)()),
        })),
      },
      {
        title: 'warm: 100 users at once, until the last has an answer',
        contestants: warm.map(([name, finder]) => ({
          name,
          round: () =>
            concurrently(
              3,
              1,
              timed(() => Promise.all(people(100).map((user) => finder.names(user)))),
            ),
        })),
      },
      {
        title: 'warm: a user in groups nested five levels deep, with a cycle',
        contestants: warm.map(([name, finder]) => ({ name, round: () => concurrently(30, 1, once(finder, 'alice')) })),
      },
    ];
    const rounds = short ? 1 : 40;
    const bar = progress('ldap', rows.length * 2 * (rounds + 3));
    for (const { title, contestants } of rows) {
      const measured = await alternate(contestants, { rounds, warmUp: 3, onRound: () => bar.step() });
      yield tabulate(`ldap, ${title}`, measured, {
        rival: BARE,
        note: 'slapd on loopback, ldap without TLS; 10,000 users, 2,000 groups',
        expectations: [{ contestant: OURS, rival: BARE, figure: 'p50', expected: { atMost: 1.3 } }],
      });
    }
    bar.end();
    const sssd = await openSssd(slapd);
    if (sssd === undefined) return;
    try {
      // Nobody twice, as SSSD keeps users for longer than a benchmark takes.
      let number = 0;
      const strangers = (find: (user: string) => Promise<unknown>) => () =>
        concurrently(20, 1, () => timed(() => find(`user${(number++ * 7) % 10_000}`))());
      const contestants = [
        ...warm.map(([name, finder]) => ({ name, round: strangers((user) => finder.names(user)) })),
        { name: 'SSSD, by getent(1)', round: strangers((user) => sssd.groups(user)) },
      ];
      const measured = await alternate(contestants, { rounds: short ? 1 : 10, warmUp: 1 });
      yield tabulate('ldap, a user seen for the first time, beside SSSD', measured, {
        rival: BARE,
        note: 'SSSD has no such user in its cache yet',
      });
    } finally {
      await sssd.close();
    }
  } finally {
    for (const [, finder] of warm) await finder.close();
    await slapd.remove();
  }
}

/** Throws unless all find the same groups: nobody wins by doing less. */
async function requireSame(finders: readonly (readonly [string, Finder])[], users: readonly string[]): Promise<void> {
  for (const user of users) {
    const answers = await Promise.all(finders.map(async ([, finder]) => JSON.stringify([...((await finder.names(user)) ?? [])].sort())));
    if (answers[0] === '[]' || new Set(answers).size !== 1) throw new Error(`the groups of ${user} differ: ${answers.join(' and ')}`);
  }
}

function openOurs(slapd: Slapd): Finder {
  const table = {
    preset: 'rfc2307bis',
    uris: [slapd.ldap],
    starttls: false,
    user_base: PEOPLE,
    group_base: GROUPS,
    bind_dn: READER_DN,
    bind_password_file: join(slapd.directory, 'password'),
  };
  // As the service logs: searches are written down for `lookup -v` alone.
  const silent = createLogger(() => {}, { debug: false });
  const provider = provide.create(parseOptions(provide.options, table, 'bench'), { log: silent, directory: '/' });
  return {
    names: async (user) => (await provider.groups(loginUser(user), new AbortController().signal))?.map(({ name }) => name),
    close: async () => provider.close?.(),
  };
}

/** What everybody would write: no deadline, no bound, no second server, no normalised DNs. The same searches, as far from each other. */
async function openBare(slapd: Slapd): Promise<Finder> {
  const client = new Client({ url: slapd.ldap });
  await client.bind(READER_DN, PASSWORD);
  const search = async (base: string, filter: string, attributes: string[]): Promise<readonly Entry[]> =>
    (await client.search(base, { scope: 'sub', filter, attributes })).searchEntries;
  const groupAttributes = ['cn', 'gidNumber'];
  return {
    async names(user) {
      const [person] = await search(PEOPLE, escapeFilter`(uid=${user})`, ['uid', 'gidNumber']);
      if (person === undefined) return undefined;
      const found = new Map<string, string>();
      const add = (entries: readonly Entry[]): readonly string[] =>
        entries.flatMap(({ dn, cn }) => {
          if (found.has(dn)) return [];
          found.set(dn, String(cn));
          return [dn];
        });
      const [primary, direct] = await Promise.all([
        search(GROUPS, `(&(objectClass=posixGroup)(gidNumber=${person.gidNumber}))`, groupAttributes),
        search(GROUPS, escapeFilter`(member=${person.dn})`, groupAttributes),
      ]);
      let frontier = add([...primary, ...direct]);
      while (frontier.length > 0) {
        const batches = Array.from({ length: Math.ceil(frontier.length / 100) }, (_, index) =>
          frontier.slice(index * 100, index * 100 + 100),
        );
        const parents = await Promise.all(
          batches.map((dns) => {
            const members = dns.map((dn) => escapeFilter`(member=${dn})`).join('');
            return search(GROUPS, `(|${members})`, groupAttributes);
          }),
        );
        frontier = add(parents.flat());
      }
      return [...new Set(found.values())];
    },
    close: () => client.unbind(),
  };
}
