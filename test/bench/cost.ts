import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BASE_LDIF, type Slapd, startSlapd } from '../support/slapd.js';
import { runWithAccounts } from './accounts-namespace.js';
import type { BenchContext } from './benchmark.js';
import { openLdap, searchesFor } from './ldap-wire.js';
import { drawLines, type Line } from './line-chart.js';
import { concurrently, type Sample, summarize } from './measure.js';
import { timeProcess } from './processes.js';
import { isMet, type Row, type Table, type Verdict } from './report.js';
import { ask, ldapProvider, requestOf, type SocketServer, startService } from './servers.js';

/** How steep a line may be where it is steepest: 1 is in proportion to the size, and the rest is what measuring is worth. */
const STEEPEST = 1.1;
/** Sizes less far apart than this say more about the machine's caches than about the program. */
const APART = 8;

/** What an answer costs by the size of what it is made of: the user's groups, the machine's group file, how deeply groups are in groups. */
export async function* cost(context: BenchContext): AsyncGenerator<Table> {
  const groups = await byGroups(context);
  yield tabulated('cost: groups of one user', GROUPS_NOTE, groups);
  const file = await byFile(context);
  yield tabulated('cost: lines of /etc/group', FILE_NOTE, file);
  const depth = await byDepth(context);
  yield tabulated('cost: LDAP groups in groups', DEPTH_NOTE, depth);
  await drawLines(join(context.output, 'cost.svg'), [
    { title: 'groups of one user', size: 'groups', lines: groups.map(lineOf) },
    { title: 'size of /etc/group', size: 'lines', lines: file.map(lineOf) },
    { title: 'LDAP groups in groups', size: 'levels', lines: depth.map(lineOf) },
  ]);
}

/** One way of asking, at each of some sizes. */
interface Series {
  readonly name: string;
  readonly what: string;
  readonly samples: readonly (readonly [size: number, sample: Sample])[];
}

const median = (sample: Sample): number => summarize({ name: '', samples: [sample] }).p50;
const lineOf = ({ name, samples }: Series): Line => ({ name, points: samples.map(([size, sample]) => [size, median(sample)]) });

const GROUPS_NOTE =
  'a group file; exec mode is the whole process, the others one request of one client at a time; what the userdb door gives has to fit into 8 KiB';
const FILE_NOTE = 'three members a line; exec mode is the whole process, with the file not read before';
const DEPTH_NOTE = 'each group is a member of the next; slapd on a UNIX socket, ttl = "0s", so that each request is a lookup';

function tabulated(title: string, note: string, series: readonly Series[]): Table {
  const rows: readonly Row[] = series.flatMap(({ name, what, samples }) =>
    samples.map(([size, sample]) => ({
      contestant: `${name}, ${size.toLocaleString('en-US')} ${size === 1 ? what.replace(/s$/, '') : what}`,
      ...summarize({ name: '', samples: [sample] }),
    })),
  );
  const verdicts: readonly Verdict[] = series.map((one) => {
    const value = steepest(lineOf(one).points);
    const expected = { atMost: STEEPEST };
    return { what: `${one.name}: steepest, 1 is in proportion`, value, unit: 'ratio', expected, met: isMet(value, expected) };
  });
  return { title, note, rows, verdicts };
}

/** The steepest of all slopes between two sizes that are far enough apart, on logarithmic axes. NaN without such ones. */
export function steepest(points: Line['points']): number {
  const slopes = points.flatMap(([size, time]) =>
    points.filter(([other]) => other >= size * APART).map(([other, later]) => Math.log(later / time) / Math.log(other / size)),
  );
  return slopes.length === 0 ? Number.NaN : Math.max(...slopes);
}

async function byGroups({ short, scratch, installed, progress }: BenchContext): Promise<readonly Series[]> {
  const command = await installed();
  const directory = join(scratch, 'cost-groups');
  mkdirSync(directory);
  const sizes = short ? [1, 100] : [1, 3, 10, 30, 100, 300, 1000, 3000, 10_000];
  // user3 is in three groups.
  const lines = Array.from({ length: sizes.at(-1) ?? 1 }, (_, index) => {
    return `g${index}:x:${index + 1000}:${sizes
      .filter((size) => size > index)
      .map((size) => `user${size}`)
      .join(',')}`;
  });
  const group = join(directory, 'members');
  writeFileSync(group, `${lines.join('\n')}\n`, { mode: 0o644 });
  const providers = `providers = ["file"]\n\n[provider.file]\npath = "${group}"\n`;
  const config = join(directory, 'exec.toml');
  writeFileSync(config, providers, { mode: 0o600 });
  const kept = await startService(command, directory, { name: 'kept', providers });
  const asked = await startService(command, directory, { name: 'asked', providers, cache: 'ttl = "0s"\nstale_ttl = "0s"\n' });
  const ldap = await openLdap(kept.path);
  const ldapAsked = await openLdap(asked.path);
  const bar = progress('cost: groups', sizes.length * 5);
  const measure = async (name: string, most: number, run: (size: number) => Promise<Sample>): Promise<Series> => {
    const samples: (readonly [number, Sample])[] = [];
    for (const size of sizes.filter((each) => each <= most)) {
      samples.push([size, await run(size)]);
      bar.step();
    }
    return { name, what: 'groups', samples };
  };
  const count = short ? 20 : 1000;
  const search = (connection: typeof ldap, size: number): Promise<Sample> => {
    const users = Array.from({ length: count }, () => `user${size}`);
    return connection.search(searchesFor(users, { base: 'dc=acl-groups', assertions: ['uid'], attribute: 'aclGroups' }), 1);
  };
  const postLogin = (server: SocketServer, size: number): Promise<Sample> =>
    concurrently(count, 1, () => ask(server.path, requestOf(size)));
  const WIDE = Number.POSITIVE_INFINITY;
  /** Names of up to four characters, with a comma each, in what is left of 8 KiB. */
  const NARROW = 1000;
  try {
    return [
      await measure('exec mode', WIDE, (size) => {
        const env = { USER: `user${size}`, USERDB_KEYS: '' };
        return concurrently(short ? 2 : 20, 1, () => timeProcess({ file: command, args: ['-c', config, '/bin/true'], env }));
      }),
      await measure('post-login, a lookup', WIDE, (size) => postLogin(asked, size)),
      await measure('post-login, cached', WIDE, (size) => postLogin(kept, size)),
      await measure('userdb door, a lookup', NARROW, (size) => search(ldapAsked, size)),
      await measure('userdb door, cached', NARROW, (size) => search(ldap, size)),
    ];
  } finally {
    bar.end();
    ldap.close();
    ldapAsked.close();
    await Promise.all([kept.stop(), asked.stop()]);
  }
}

async function byFile({ short, scratch, installed, progress }: BenchContext): Promise<readonly Series[]> {
  const command = await installed();
  const inside = fileURLToPath(new URL('cost-inside.js', import.meta.url));
  const sizes = short ? [50, 1000] : [50, 200, 1000, 5000, 20_000, 50_000, 100_000, 200_000];
  const bar = progress('cost: /etc/group', sizes.length);
  const found: Record<string, (readonly [number, Sample])[]> = {};
  for (const size of sizes) {
    const directory = join(scratch, `cost-${size}`);
    mkdirSync(directory);
    writeAccounts(directory, size);
    const output = await runWithAccounts(directory, [process.execPath, inside, command, short ? '2' : '20']);
    for (const [name, sample] of Object.entries(JSON.parse(output) as Readonly<Record<string, Sample>>)) {
      found[name] ??= [];
      found[name].push([size, sample]);
    }
    bar.step();
  }
  bar.end();
  return Object.entries(found).map(([name, samples]) => ({ name, what: 'lines', samples }));
}

/** So many groups of three; alice is in the last one. */
function writeAccounts(directory: string, lines: number): void {
  const groups = Array.from({ length: lines }, (_, index) => {
    const members = [1, 7, 131].map((factor) => `person${(index * factor) % 1000}`);
    return `group${index}:x:${10_000 + index}:${[...members, ...(index === lines - 1 ? ['alice'] : [])].join(',')}\n`;
  });
  writeFileSync(join(directory, 'group'), `users:x:100:\n${groups.slice(1).join('')}`);
  writeFileSync(join(directory, 'passwd'), 'root:x:0:0:root:/root:/bin/sh\nalice:x:1999:100::/home/alice:/bin/sh\n');
  writeFileSync(join(directory, 'nsswitch.conf'), 'passwd: files\ngroup: files\ninitgroups: files\n');
}

const MOST_LEVELS = 96;

async function byDepth({ short, scratch, installed, progress }: BenchContext): Promise<readonly Series[]> {
  const sizes = short ? [1, 8] : [1, 2, 4, 8, 16, 32, 64, MOST_LEVELS];
  const slapd = await startSlapd({ ldif: chains(sizes), rfc2307bis: true, quiet: true });
  const service = await startService(await installed(), scratch, {
    name: 'depth',
    cache: 'ttl = "0s"\nstale_ttl = "0s"\n',
    providers: nestingProvider(slapd),
  });
  const bar = progress('cost: levels', sizes.length);
  try {
    const samples: (readonly [number, Sample])[] = [];
    for (const size of sizes) {
      const request = requestOf(size);
      await ask(service.path, request);
      samples.push([size, await concurrently(short ? 5 : 200, 1, () => ask(service.path, request))]);
      bar.step();
    }
    return [{ name: 'post-login, a lookup', what: 'levels', samples }];
  } finally {
    bar.end();
    await service.stop();
    await slapd.remove();
  }
}

/** For each size a user of that number, in a group that is in a group, and so on. */
function chains(sizes: readonly number[]): string {
  const entries = sizes.flatMap((size) => {
    const user = `uid=user${size},ou=people,dc=example,dc=test`;
    const person = `dn: ${user}\nobjectClass: inetOrgPerson\nuid: user${size}\ncn: x\nsn: x\n`;
    const groups = Array.from({ length: size }, (_, level) => {
      const member = level === 0 ? user : `cn=g${size}-${level - 1},ou=groups,dc=example,dc=test`;
      return `dn: cn=g${size}-${level},ou=groups,dc=example,dc=test\nobjectClass: groupOfNames\ncn: g${size}-${level}\nmember: ${member}\n`;
    });
    return [person, ...groups];
  });
  return BASE_LDIF + entries.join('\n');
}

const nestingProvider = (slapd: Slapd): string => `timeout = "60s"
${ldapProvider(slapd)}nesting_level = ${MOST_LEVELS}
`;
