import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { BindRequest, EqualityFilter, SearchRequest } from 'ldapts';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createDaemons, type Daemon } from '../support/daemon.js';
import { openWorld, type RunResult, WORLD_PATH, type World } from '../support/world.js';

/*
 * OpenLDAP's own programs as clients of the service's socket, as administrators and monitoring use them.
 */

/** A provider whose groups say what it was asked, and which answers nobody called slow…. */
const PROVIDER = `export default {
  name: 'facts', description: '', options: {},
  create: () => ({
    cacheKey: ({ fields, remoteIp, localIp }) => JSON.stringify([[...fields], remoteIp, localIp]),
    groups: async ({ name, account, remoteIp, localIp, fields }, signal) => {
      if (name.startsWith('slow')) await new Promise((resolve) => signal.addEventListener('abort', resolve));
      if (name === 'nobody') return undefined;
      return [account, remoteIp, localIp, ...[...fields].map(([key, value]) => key + ':' + value)].filter((text) => text !== '').map((text) => ({ name: text }));
    },
  }),
};
`;

const BIND = new BindRequest({ messageId: 1, dn: '', password: '' }).write();
const SEARCH = new SearchRequest({
  messageId: 2,
  baseDN: 'dc=acl-groups',
  scope: 'sub',
  filter: new EqualityFilter({ attribute: 'uid', value: 'alice' }),
}).write();

let world: World;
let uri: string;
let socket: string;
let service: Daemon;
const daemons = createDaemons(() => world);

beforeAll(async () => {
  const { command } = inject('installed')['2.3'];
  world = await openWorld({ version: '2.3' });
  socket = join(world.directory, 'run/s');
  uri = `ldapi://${encodeURIComponent(socket)}`;
  await mkdir(join(world.directory, 'run'));
  await writeFile(join(world.etc, 'facts.mjs'), PROVIDER, { mode: 0o644 });
  await writeFile(join(world.etc, 'acl-groups.toml'), 'providers = ["/etc/facts.mjs"]\ntimeout = "60s"\n', { mode: 0o644 });
  service = daemons.start([command, 'serve', '--listen', socket]);
  await service.said('serves logins');
});
afterAll(async () => {
  await daemons.kill();
  await world.close();
});

/** Runs one of OpenLDAP's clients against the service. */
const client = (program: string, ...words: readonly string[]): Promise<RunResult> =>
  world.run([program, '-H', uri, ...words], { env: { PATH: WORLD_PATH, LDAPNOINIT: '1' } });
const search = (...words: readonly string[]): Promise<RunResult> =>
  client('ldapsearch', '-x', '-LLL', '-o', 'ldif-wrap=no', '-b', 'dc=acl-groups', ...words);
const groupsOf = async (filter: string): Promise<string | undefined> =>
  /^aclGroups: (.*)$/m.exec((await search(filter, 'aclGroups')).stdout)?.[1];

/** Resolves when a connection is over, by whatever end. */
const over = (one: Socket): Promise<void> => new Promise((resolve) => one.once('close', () => resolve()));

/** A connection of a client that takes what it is sent. */
async function open(): Promise<Socket> {
  const opened = connect(socket);
  opened.on('error', () => {}).resume();
  await once(opened, 'connect');
  return opened;
}

describe('ldapsearch', () => {
  it('finds a user with the groups, or nobody, with success', async () => {
    expect(await search('(uid=alice)')).toMatchObject({
      status: 0,
      stdout: 'dn: uid=alice,dc=acl-groups\nobjectClass: top\nobjectClass: account\nuid: alice\naclGroups: alice\n\n',
      stderr: '',
    });
    expect(await search('(uid=nobody)')).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(await search('(objectClass=posixAccount)', 'uid')).toMatchObject({ status: 0, stdout: '', stderr: '' });
  });

  it('states every fact of a login by its filter', async () => {
    expect(
      await groupsOf(
        '(&(uid=alice)(account=a1)(clientIp=192.0.2.1)(localIp=2001:db8::1)(service=lmtp)(field=Quota=5G)(field=mail=x=y)(field=empty=)(aclGroups=old))',
      ),
    ).toBe('old,a1,192.0.2.1,2001:db8::1,quota:5G,mail:x=y,empty:,system_groups_user:a1,acl_groups:old,service:lmtp');
    expect(await groupsOf('(&(service=)(masterUser=)(clientIp=)(UID=alice)(account=))')).toBe('alice');
  });

  it('reads the service itself: the root, its monitor, the base', async () => {
    expect((await client('ldapsearch', '-x', '-LLL', '-s', 'base', '-b', '', '*', 'namingContexts', 'monitorContext')).stdout).toBe(
      'dn:\nobjectClass: top\nnamingContexts: dc=acl-groups\nmonitorContext: cn=monitor\n\n',
    );
    expect((await client('ldapsearch', '-x', '-LLL', '-s', 'base', '-b', 'cn=monitor', 'cn', 'providers')).stdout).toMatch(
      /^dn: cn=monitor\ncn: monitor\nproviders: \S+\n\n$/,
    );
    expect((await search('-s', 'base', 'dc')).stdout).toBe('dn: dc=acl-groups\ndc: acl-groups\n\n');
  });

  it.each([
    ['-z', '1'],
    ['-z', '0'],
    ['-l', '1'],
    ['-a', 'always'],
    ['-E', 'pr=1/noprompt'],
  ])('is answered within its limits and by controls that it can do without: %s %s', async (...words) => {
    expect(await search(...words, '(uid=alice)', 'aclGroups')).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^dn: uid=alice,dc=acl-groups\naclGroups: alice\n\n/),
    });
  });

  it.each([
    [
      'another base',
      32,
      'No such object (32)\nAdditional information: there are "dc=acl-groups" and "cn=monitor"\n',
      ['-b', 'dc=example,dc=test', '(uid=alice)'],
    ],
    ['any user', 53, '; found something other than equality', ['(uid=*)']],
    ['the beginning of a name', 53, '; found something other than equality', ['(uid=al*)']],
    ['one of two users', 53, '; found something other than equality', ['(|(uid=alice)(uid=bob))']],
    ['all but one user', 53, '; found something other than equality', ['(!(uid=alice))']],
    ['two users at once', 53, '; found uid twice', ['(&(uid=alice)(uid=bob))']],
    ['an attribute that is no fact', 53, '; found an attribute that is none of these', ['(&(uid=alice)(mail=x))']],
    ['nobody by name', 53, '; found no value for uid', ['(account=alice)']],
    ['an empty name', 53, '; found no value for uid', ['(uid=)']],
    ['a name that is not UTF-8', 51, 'the user name is not valid UTF-8', ['(uid=\\ff)']],
    ['a critical control', 12, 'no control is known here', ['-E', '!sync=ro', '(uid=alice)']],
  ])('is told what is wrong with a search for %s', async (_, status, message, words) => {
    const { status: found, stderr, stdout } = await search(...words);
    expect({ found, stdout: stdout.replace(/^#.*\n?/gm, '') }).toMatchObject({ found: status });
    expect(stderr).toContain(message);
  });

  it('gives up a search by abandon, and the next one on its place is answered', async () => {
    const asking = daemons.start(['ldapsearch', '-x', '-H', uri, '-e', 'abandon', '-b', 'dc=acl-groups', '(uid=slow-alice)']);
    await expect.poll(async () => (await search('-s', 'base', '-b', 'cn=monitor', 'loginsInHand')).stdout).toContain('loginsInHand: 1\n');
    asking.child.kill('SIGINT');
    await asking.ended();
    expect(await groupsOf('(uid=alice)')).toBe('alice');
  });
});

describe("OpenLDAP's other clients", () => {
  it.each([
    [
      'a name and a password',
      49,
      'ldapsearch',
      ['-x', '-D', 'cn=admin', '-w', 'secret', '-b', 'dc=acl-groups'],
      'ldap_bind: Invalid credentials (49)\n\tadditional info: this is no password database; bind anonymously\n',
    ],
    [
      'SASL',
      7,
      'ldapsearch',
      ['-Y', 'EXTERNAL', '-b', 'dc=acl-groups'],
      'ldap_sasl_interactive_bind: Authentication method not supported (7)\n\tadditional info: bind anonymously\n',
    ],
    [
      'version 2',
      2,
      'ldapsearch',
      ['-x', '-P', '2', '-b', 'dc=acl-groups', '(uid=alice)'],
      'ldap_bind: Protocol error (2)\n\tadditional info: this is LDAP version 3\n',
    ],
    [
      'StartTLS',
      1,
      'ldapsearch',
      ['-x', '-ZZ', '-b', 'dc=acl-groups', '(uid=alice)'],
      'ldap_start_tls: Protocol error (2)\n\tadditional info: no extended operation is known here\n',
    ],
    [
      'an extended operation',
      1,
      'ldapwhoami',
      ['-x'],
      'ldap_parse_result: Protocol error (2)\n\tadditional info: no extended operation is known here\n',
    ],
    ['a deletion', 53, 'ldapdelete', ['-x', 'uid=alice,dc=acl-groups'], 'entries can be searched for, and nothing else'],
    ['a comparison', 53, 'ldapcompare', ['-x', 'uid=alice,dc=acl-groups', 'uid:alice'], 'entries can be searched for, and nothing else'],
  ])('get the result for %s', async (_, status, program, words, message) => {
    const result = await client(program, ...words);
    expect(result.status).toBe(status);
    expect(result.stdout + result.stderr).toContain(message);
  });
});

describe('ldapsearch is answered', () => {
  it('beside 1,000 connections that are bound and rest', async () => {
    const clients = await Promise.all(Array.from({ length: 1000 }, open));
    const bound = clients.map((one) => once(one, 'data'));
    for (const one of clients) one.write(BIND);
    await Promise.all(bound);
    expect(await groupsOf('(uid=alice)')).toBe('alice');
    // All of them at once, and each gets its answer.
    const found = clients.map((one) => once(one, 'data'));
    for (const one of clients) one.write(SEARCH);
    for (const [answer] of (await Promise.all(found)) as [Buffer][]) expect(answer.toString('latin1')).toContain('uid=alice,dc=acl-groups');
    for (const one of clients) one.destroy();
  });

  it('beside half a message and silence, which is ended', async () => {
    const half = await open();
    const closed = over(half);
    half.write(SEARCH.subarray(0, 20));
    expect(await groupsOf('(uid=alice)')).toBe('alice');
    await closed;
    await service.said('acl-groups: warning: connection closed: no whole request came within 10000 ms\n');
  });

  it.each([
    ['no length', Buffer.alloc(4 * 1024 * 1024, Buffer.from('3080', 'hex')), 'a message has no length that LDAP allows'],
    ['no protocol', Buffer.alloc(4 * 1024 * 1024, 0xff), 'the first line is too long for the script-login protocol'],
    [
      'a message that is too long',
      Buffer.concat([Buffer.from('308400400000', 'hex'), Buffer.alloc(4 * 1024 * 1024)]),
      'a message is longer than 262144 bytes',
    ],
    ['empty messages', Buffer.from('3000'.repeat(2 * 1024 * 1024), 'hex'), 'a message does not hold one operation'],
  ])('beside 4 MiB of nonsense: %s', async (_, bytes, reason) => {
    const client = await open();
    const closed = over(client);
    client.write(bytes);
    expect(await groupsOf('(uid=alice)')).toBe('alice');
    await closed;
    await service.said(`acl-groups: warning: connection closed: ${reason}\n`);
  });
});
