import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { LookupPlan } from '../support/lookups.js';
import { type OwnEtc, ownEtc, startUnder } from '../support/own-etc.js';
import { gone } from '../support/serve.js';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
/** Long enough for any lookup that doesn't hang, on any machine. */
const ENOUGH = 60_000;

let tools: string;
let etc: OwnEtc;
let state: string;

beforeAll(async () => {
  // Within the package, so that the addon is found.
  mkdirSync(at('../../node_modules/.cache'), { recursive: true });
  tools = mkdtempSync(at('../../node_modules/.cache/acl-groups-'));
  execFileSync('cc', ['-shared', '-fPIC', '-Wall', '-Werror', '-o', join(tools, 'libnss_acltest.so.2'), at('../support/name-service.c')]);
  await build({
    input: { lookups: at('../support/lookups.ts'), 'account-worker': at('../../src/providers/unix/account-worker.ts') },
    platform: 'node',
    external: ['userid'],
    output: { dir: tools, format: 'cjs', entryFileNames: '[name].cjs' },
  });
});
afterAll(() => rmSync(tools, { recursive: true }));
beforeEach(() => useServices('files acltest'));
afterEach(() => rmSync(etc.directory, { recursive: true }));

function useServices(passwd: string, group = passwd): void {
  etc = ownEtc({
    '/etc/passwd': 'root:x:0:0:::\ndaemon:x:1:1:::\nalice:x:1000:1000:::\n1000:x:1001:2000:::\n1003:x:1002:2000:::\n',
    '/etc/group': 'root:x:0:\ndaemon:x:1:\nalice:x:1000:\nmine:x:2000:alice\nfirst:x:5001:\nsecond:x:5001:\n',
    '/etc/nsswitch.conf': `passwd: ${passwd}\ngroup: ${group}\n`,
  });
  state = join(etc.directory, 'state');
}

interface Result {
  readonly account: string;
  readonly groups?: readonly { readonly gid: number; readonly name?: string }[] | null;
  readonly error?: string;
}

/** Results in the order of their coming. */
async function look(plan: LookupPlan): Promise<{ readonly results: readonly Result[]; readonly logged: readonly string[] }> {
  const env = { LD_LIBRARY_PATH: tools, ACLTEST_STATE: state };
  const { stdout, stderr, status } = await startUnder(etc, [process.execPath, join(tools, 'lookups.cjs'), JSON.stringify(plan)], env);
  expect({ stderr, status }).toMatchObject({ status: 0 });
  const lines: unknown[] = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const { logged } = lines.pop() as { logged: readonly string[] };
  return { results: lines as Result[], logged };
}

async function lookOne(source: LookupPlan['source'], account: string, timeout = ENOUGH): Promise<Result> {
  const { results } = await look({ source, accounts: [{ account, timeout }] });
  return results[0] ?? { account };
}

const REMOTE = [{ gid: 5001, name: 'first' }, { gid: 5002, name: 'Jörg' }, { gid: 5003 }, { gid: 5004, name: 'latin1 \ufffd' }];
const ALICE = [{ gid: 1000, name: 'alice' }, { gid: 2000, name: 'mine' }, ...REMOTE];

describe.each(['userid', 'getent'] as const)('%s', (source) => {
  it('finds accounts of a service, and the groups that it adds to those of the files', async () => {
    expect(await lookOne(source, 'remote')).toEqual({ account: 'remote', groups: REMOTE });
    expect(await lookOne(source, 'alice')).toEqual({ account: 'alice', groups: ALICE });
  });

  it('leaves it to the service whether capitals matter', async () => {
    expect(await lookOne(source, 'REMOTE')).toEqual({ account: 'REMOTE', groups: REMOTE });
  });

  it('takes an account that is called like the number of another for itself', async () => {
    expect((await lookOne(source, '1003')).groups?.[0]).toEqual({ gid: 2000, name: 'mine' });
    expect((await lookOne(source, '1002')).groups).toBeNull();
  });

  it('takes names from the service where it comes before the files', async () => {
    rmSync(etc.directory, { recursive: true });
    useServices('acltest files');
    expect((await lookOne(source, 'remote')).groups?.[0]).toEqual({ gid: 5001, name: 'remote users' });
  });

  it('says "unknown" when all services say so', async () => {
    expect(await lookOne(source, 'zoe')).toEqual({ account: 'zoe', groups: null });
  });

  it.each(['unavailable', 'try again'])(
    'fails when a service is in the state "%s", rather than say "unknown" or leave groups out',
    async (word) => {
      writeFileSync(state, word);
      const message = (database: string): string =>
        `the name service acltest, which nsswitch.conf names for ${database}, doesn't answer; start it, or take it out of nsswitch.conf`;
      expect(await lookOne(source, 'zoe')).toEqual({ account: 'zoe', error: message('passwd') });
      expect(await lookOne(source, 'remote')).toEqual({ account: 'remote', error: message('passwd') });
      expect(await lookOne(source, 'alice')).toEqual({ account: 'alice', error: message('group') });
    },
  );

  it('fails when a service is named that is not installed', async () => {
    rmSync(etc.directory, { recursive: true });
    useServices('files', 'files nosuch');
    expect((await lookOne(source, 'alice')).error).toContain('the name service nosuch, which nsswitch.conf names for group');
    expect(await lookOne(source, 'zoe')).toEqual({ account: 'zoe', groups: null });
  });

  it('ends at its deadline when a service hangs, and so does the process', async () => {
    writeFileSync(state, 'hang');
    expect(await lookOne(source, 'alice', 300)).toEqual({ account: 'alice', error: 'no time left' });
  });

  it('leaves no process behind that hangs, when it is killed itself', async () => {
    writeFileSync(state, 'hang');
    const plan: LookupPlan = { source, accounts: [{ account: 'alice', timeout: ENOUGH }] };
    const [command, ...words] = etc.command(process.execPath, join(tools, 'lookups.cjs'), JSON.stringify(plan));
    const child = spawn(command, words, { env: { ...process.env, LD_LIBRARY_PATH: tools, ACLTEST_STATE: state }, stdio: 'ignore' });
    const pid = child.pid ?? 0;
    const hanging = await hangingChildren(pid);
    process.kill(pid, 'SIGKILL');
    await Promise.all([...hanging, pid].map(gone));
  });

  it('goes on with the others while one hangs', async () => {
    const others = Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? 'alice' : 'zoe'));
    const accounts = others.map((account) => ({ account, timeout: ENOUGH }));
    const { results } = await look({ source, accounts: [{ account: 'hanging', timeout: 'others' }, ...accounts] });
    expect(results.at(-1)).toEqual({ account: 'hanging', error: 'no time left' });
    expect(results.filter(({ account }) => account === 'alice')).toEqual(Array(10).fill({ account: 'alice', groups: ALICE }));
    expect(results.filter(({ account }) => account === 'zoe')).toEqual(Array(10).fill({ account: 'zoe', groups: null }));
  });

  it('goes on when as many hang as may run at a time, once their time is over', async () => {
    const hanging = Array.from({ length: 8 }, (_, n) => ({ account: `hang${n}`, timeout: 1000 }));
    const { results } = await look({ source, accounts: [...hanging, { account: 'alice', timeout: ENOUGH }] });
    expect(results.map(({ error }) => error)).toEqual([...Array(8).fill('no time left'), undefined]);
    expect(results.at(-1)?.groups).toEqual(ALICE);
  });

  it('survives a service that crashes', async () => {
    const { results } = await look({ source, accounts: ['crash', 'alice'].map((account) => ({ account, timeout: ENOUGH })) });
    expect(results.find(({ account }) => account === 'crash')?.error).toMatch(/ended with SIGABRT$/);
    expect(results.find(({ account }) => account === 'alice')?.groups).toEqual(ALICE);
  });
});

/** Where in the kernel a process waits; nowhere if it has ended since it was listed. */
function placeOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/wchan`, 'latin1');
  } catch {
    return '';
  }
}

/** The children of a process that wait in `pause`, which only the name service calls; waits for them to come. */
async function hangingChildren(pid: number): Promise<readonly number[]> {
  for (;;) {
    const children = existsSync(`/proc/${pid}`) ? readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').map(Number) : [];
    const hanging = children.filter((child) => child > 0 && placeOf(child).includes('pause'));
    if (hanging.length > 0) return hanging;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

it('takes the addon by itself where it is installed', async () => {
  const { logged } = await look({ source: 'auto', accounts: [{ account: 'alice', timeout: ENOUGH }] });
  expect(logged).toEqual([
    'alice: not by the files: nsswitch.conf names other services: passwd: files acltest; group: files acltest',
    'source userid: the addon is installed',
  ]);
});

describe('libnss-ldapd', () => {
  const connections = new Set<Socket>();
  let nslcd: Server | undefined;

  beforeEach(() => {
    rmSync(etc.directory, { recursive: true });
    etc = ownEtc(
      {
        '/etc/passwd': 'daemon:x:1:1:::\nalice:x:1000:1000:::\n',
        '/etc/group': 'daemon:x:1:\nalice:x:1000:\n',
        '/etc/nsswitch.conf': 'passwd: files ldap\ngroup: files ldap\n',
      },
      ['/run'],
    );
    // Debian's path for nslcd's socket; /var/run is /run.
    mkdirSync(join(etc.file('/run'), 'nslcd'));
  });
  afterEach(async () => {
    for (const connection of connections) connection.destroy();
    await new Promise<void>((resolve) => (nslcd === undefined ? resolve() : nslcd.close(() => resolve())));
    nslcd = undefined;
  });

  it('is installed (Debian: libnss-ldapd)', () => {
    expect(
      ['/usr/lib', '/lib'].some((lib) =>
        existsSync(`${lib}/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/libnss_ldap.so.2`),
      ),
    ).toBe(true);
  });

  it.each(['userid', 'getent'] as const)('fails while nslcd is not running (%s)', async (source) => {
    expect((await lookOne(source, 'zoe')).error).toContain('the name service ldap, which nsswitch.conf names for passwd');
    expect((await lookOne(source, 'alice')).error).toContain('the name service ldap, which nsswitch.conf names for group');
  });

  it.each(['userid', 'getent'] as const)('ends at its deadline while nslcd takes questions and answers none (%s)', async (source) => {
    nslcd = createServer((connection) => {
      connections.add(connection);
      connection.on('error', () => {});
    });
    await new Promise<void>((resolve) => nslcd?.listen(join(etc.file('/run'), 'nslcd', 'socket'), resolve));
    expect(await lookOne(source, 'zoe', 2000)).toEqual({ account: 'zoe', error: 'no time left' });
    expect(connections.size).toBeGreaterThan(0);
  });
});
