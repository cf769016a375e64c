import { execFileSync } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { ResolveSrv } from '../../../src/support/srv.js';
import { ldapProvider, type TestProvider } from '../../support/ldap.js';
import { GROUPS, LOST_ELSEWHERE, PEOPLE, rdn } from '../../support/ldap-content.js';
import { listen } from '../../support/relay.js';
import { BASE_LDIF, ldifLine, PASSWORD, READER_DN, type Slapd, startSlapd } from '../../support/slapd.js';
import { temporaryDirectory } from '../../support/temporary.js';

/** Names that are several to slapd, though they look alike or fold to one. */
const LOOKALIKES = ['zed', '\u{feff}zed', 'Team 2', 'Team \u00b2x', 'x y', 'x\u2028y', 'gro\u00dfe', 'Caf\u00e9'];

const person = (uid: string): string =>
  `${ldifLine('dn', `${rdn('uid', uid)},${PEOPLE}`)}objectClass: inetOrgPerson\n${ldifLine('uid', uid)}cn: x\nsn: x\n`;
const group = (cn: string, members: readonly string[], base = GROUPS, more = ''): string => {
  const dns = members.map((uid) => ldifLine('member', `${rdn('uid', uid)},${PEOPLE}`));
  return `${ldifLine('dn', `${rdn('cn', cn)},${base}`)}objectClass: groupOfNames\n${ldifLine('cn', cn)}${more}${dns.join('')}`;
};

const MANY = 5000;
const LDIF = `${BASE_LDIF}${[
  ...['alice', '\u{feff}bob', 'bob', 'looks', 'many', 'named'].map(person),
  `dn: ou=elsewhere,${PEOPLE}\nobjectClass: organizationalUnit\nou: elsewhere\n`,
  `dn: ou=helpdesk,${GROUPS}\nobjectClass: organizationalUnit\nou: helpdesk\n`,
  group('staff', ['alice']),
  group('of bob', ['bob']),
  group('admins', ['alice']),
  group('admins', ['alice'], `ou=helpdesk,${GROUPS}`),
  ...LOOKALIKES.map((name) => group(name, ['looks'])),
  group('second', ['named'], GROUPS, 'cn: first\n'),
  ...Array.from({ length: MANY }, (_, i) => group(`bulk${i}`, ['many'], `ou=helpdesk,${GROUPS}`)),
  `dn: cn=unique,${GROUPS}\nobjectClass: groupOfUniqueNames\ncn: unique\nuniqueMember: uid=alice,${PEOPLE}\n`,
  `dn: ou=referring,dc=example,dc=test\nobjectClass: organizationalUnit\nou: referring\n`,
  `dn: cn=elsewhere,ou=referring,dc=example,dc=test\nobjectClass: referral\nobjectClass: extensibleObject\ncn: elsewhere\nref: ldap://192.0.2.1/${GROUPS}\n`,
].join('\n')}\n`;

const directory = temporaryDirectory();
const passwordFile = join(directory, 'password');
let slapd: Slapd;
beforeAll(async () => {
  writeFileSync(passwordFile, PASSWORD, { mode: 0o600 });
  slapd = await startSlapd({ ldif: LDIF, config: [`limits dn.exact="${READER_DN}" size=500 size.prtotal=unlimited`] });
});
afterAll(() => slapd.remove());

function provide(table: Readonly<Record<string, unknown>> = {}, extra: Parameters<typeof ldapProvider>[1] = {}): TestProvider {
  const own = { uris: [slapd.ldap], starttls: false, bind_dn: READER_DN, bind_password_file: passwordFile, primary_group: false };
  const provider = ldapProvider({ ...own, user_base: PEOPLE, group_base: GROUPS, max_groups: 10_000, ...table }, extra);
  onTestFinished(() => provider.close?.());
  return provider;
}

const binds = (): number => slapd.log().split(/ BIND dn="[^"]*" method=/).length - 1;

it("lists a prefix's groups by the names asked for, and those that begin like one that is not there", async () => {
  const provider = provide({ prefix: 'ldap-' });
  const names = await provider.groupNames?.(['ldap-staff', 'ldap-adnims', 'other', 'ldap-(x*'], AbortSignal.timeout(10_000));
  expect([...(names ?? [])].sort()).toEqual(['ldap-admins', 'ldap-staff']);
});

/** A clock of this process, which runs ahead until the end of the test. */
function ownClock(): (ms: number) => void {
  const { now } = performance;
  let ahead = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now.call(performance) + ahead);
  onTestFinished(() => clock.mockRestore());
  return (ms) => {
    ahead += ms;
  };
}

describe('names', () => {
  it('that look alike are several groups', async () => {
    expect([...((await provide().names('looks')) ?? [])].sort()).toEqual([...LOOKALIKES].sort());
    expect([...((await provide({ group_name_attribute: 'CN' }).names('looks')) ?? [])].sort()).toEqual([...LOOKALIKES].sort());
  });

  it('of users keep their byte order mark', async () => {
    const byUid = { group_filter: '(description={uid})' };
    const marked = provide(byUid);
    await marked.names('\u{feff}bob');
    expect(marked.lines.filter((line) => line.includes('bob)') && line.includes('description'))).toEqual([
      expect.stringContaining('filter=(description=\u{feff}bob) '),
    ]);
    expect(await provide().names('\u{feff}bob')).not.toContain('of bob');
  });

  it('that two entries share are one group, and both are named', async () => {
    const entries = `"cn=admins,${GROUPS}", "cn=admins,ou=helpdesk,${GROUPS}"`;
    expect((await provide({ prefix: 'ldap-' }).of('alice'))?.filter(({ name }) => name === 'ldap-admins')).toEqual([
      { name: 'ldap-admins', dn: `cn=admins,${GROUPS}`, warning: `2 entries have this name: ${entries}; only one group is granted` },
    ]);
  });

  it('that one entry has are one group, with the others in a warning', async () => {
    expect(await provide().of('named')).toEqual([
      { name: 'second', dn: `cn=second,${GROUPS}`, warning: 'its entry has other values of cn, which are not granted: "first"' },
    ]);
  });

  it('of group_base may be written in any way that the server takes', async () => {
    for (const group_base of [`OU=groups,0.9.2342.19200300.100.1.25=EXAMPLE, dc=test`, `ou=\\67roups,dc=example,dc=test`]) {
      expect(await provide({ group_base }).names('alice')).toEqual(['staff', 'admins']);
    }
  });
});

describe('answers', () => {
  it('with continuation references are incomplete', async () => {
    expect(await provide({ group_base: 'ou=referring,dc=example,dc=test' }).of('alice')).toEqual([LOST_ELSEWHERE]);
    const users = provide({ user_base: 'ou=referring,dc=example,dc=test' });
    expect(await users.of('alice')).toBeUndefined();
    expect(await users.of('bob')).toBeUndefined();
    expect(users.lines.filter((line) => line.startsWith('warning'))).toEqual([
      `warning: ldap: a part of user_base "ou=referring,dc=example,dc=test" is on another server (ldap://192.0.2.1/${GROUPS}??sub), and referrals are not followed: its users are unknown`,
    ]);
  });

  it('over the size limit come by pages, to many at once too', async () => {
    const names = await Promise.all(['many', 'many', 'alice', 'many'].map((uid) => provide().names(uid)));
    expect(names.map((each) => each?.length)).toEqual([MANY, MANY, 2, MANY]);
    const provider = provide();
    const shared = await Promise.all(['many', 'many', 'alice', 'many'].map((uid) => provider.names(uid)));
    expect(shared.map((each) => each?.length)).toEqual([MANY, MANY, 2, MANY]);
  });

  it('of groupOfUniqueNames are found by a preset of its own', async () => {
    expect(await provide({ preset: 'groupofuniquenames' }).names('alice')).toEqual(['unique']);
  });
});

describe('a refused bind', () => {
  it('is tried once, however many log in, until the password file changes', async () => {
    const file = join(directory, 'rotated');
    writeFileSync(file, 'wrong', { mode: 0o600 });
    const provider = provide({ bind_password_file: file });
    const before = binds();
    const pass = ownClock();
    for (let second = 0; second < 100; second++) {
      const logins = await Promise.allSettled(Array.from({ length: 10 }, () => provider.names('alice')));
      expect(logins.every(({ status }) => status === 'rejected')).toBe(true);
      pass(1000);
    }
    expect(binds() - before).toBe(1);
    pass(300_000);
    await expect(provider.names('alice')).rejects.toThrow('refused: invalid credentials (result 49); not tried again for 30 min');
    expect(binds() - before).toBe(2);
    writeFileSync(file, PASSWORD);
    expect(await provider.names('alice')).toEqual(['staff', 'admins']);
  });

  it('is not had from a password that was read at start', async () => {
    const file = join(directory, 'later');
    writeFileSync(file, 'of the start', { mode: 0o600 });
    const provider = provide({ bind_password_file: file });
    writeFileSync(`${file}.new`, PASSWORD, { mode: 0o600 });
    renameSync(`${file}.new`, file);
    expect(await provider.names('alice')).toEqual(['staff', 'admins']);
  });

  it('can not be waited for by a password file that is a FIFO', () => {
    const fifo = join(directory, 'fifo');
    execFileSync('mkfifo', ['-m', '600', fifo]);
    expect(() => provide({ bind_password_file: fifo })).toThrow(`${fifo}: refused: it is a FIFO`);
  });
});

describe('a connection', () => {
  /** A relay whose connections can be made to swallow everything. */
  async function relay(): Promise<{ readonly uri: string; swallow(): void; readonly connections: number }> {
    let swallowing = new Set<Socket>();
    const open = new Set<Socket>();
    const server = await listen((client) => {
      open.add(client);
      const other = connect(slapd.port, '127.0.0.1');
      other.on('error', () => client.destroy()).on('close', () => client.destroy());
      client.on('close', () => other.destroy());
      client.on('data', (data) => void (swallowing.has(client) || other.write(data)));
      other.on('data', (data) => void client.write(data));
    });
    onTestFinished(() => server.close());
    return {
      uri: `ldap://127.0.0.1:${server.port}`,
      swallow() {
        swallowing = new Set(open);
      },
      get connections() {
        return server.connections;
      },
    };
  }

  it('that a firewall has forgotten is replaced, with a single server too', async () => {
    const { uri, swallow } = await relay();
    const provider = provide({ uris: [uri], timeout: '1s' });
    expect(await provider.names('alice')).toEqual(['staff', 'admins']);
    swallow();
    ownClock()(60_000);
    expect(await provider.names('alice')).toEqual(['staff', 'admins']);
  });

  it('to a server that left DNS is closed', async () => {
    const [old, young] = [await relay(), await relay()];
    let names = [old];
    const resolveSrv: ResolveSrv = async () =>
      names.map(({ uri }) => ({ name: '127.0.0.1', port: Number(uri.split(':')[2]), priority: 0, weight: 0 }));
    const provider = provide({ uris: ['srv:example.test'] }, { resolveSrv });
    await provider.names('alice');
    const closed = (): number => slapd.log().split(/ closed/).length;
    const before = closed();
    names = [young];
    ownClock()(700_000);
    await provider.names('alice');
    await expect.poll(closed).toBe(before + 1);
    expect([old.connections, young.connections]).toEqual([1, 1]);
  });

  it('ends with a message that can not be parsed, and the answers behind it are asked for again', async () => {
    let broken = false;
    const server = await listen((client) => {
      const other = connect(slapd.port, '127.0.0.1');
      client.on('close', () => other.destroy()).on('data', (data) => void other.write(data));
      other.on('data', (data) => {
        // Message 99, which nobody waits for, of an operation that there isn't.
        const junk = broken ? Buffer.from([0x30, 5, 2, 1, 99, 0x7f, 0]) : Buffer.alloc(0);
        broken = false;
        client.write(Buffer.concat([junk, data]));
      });
    });
    onTestFinished(() => server.close());
    const provider = provide({ uris: [`ldap://127.0.0.1:${server.port}`], timeout: '1m' });
    await provider.names('bob');
    broken = true;
    expect(await provider.names('alice')).toEqual(['staff', 'admins']);
    expect(server.connections).toBe(2);
  });
});

describe('the next server is asked', () => {
  it('where the first has no such base', async () => {
    const empty = await startSlapd({ ldif: BASE_LDIF.replace(/dn: ou=[\s\S]*/, '') });
    onTestFinished(() => empty.remove());
    expect(await provide({ uris: [empty.ldap, slapd.ldap] }).names('alice')).toEqual(['staff', 'admins']);
  });

  it('where the first is unwilling to perform', async () => {
    const unwilling = await startSlapd({ ldif: BASE_LDIF, config: ['restrict search'] });
    onTestFinished(() => unwilling.remove());
    const provider = provide({ uris: [unwilling.ldap, slapd.ldap] });
    expect(await provider.names('alice')).toEqual(['staff', 'admins']);
    expect(provider.lines.join('\n')).toContain('unwilling to perform (result 53)');
  });
});
