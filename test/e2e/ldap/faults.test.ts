import { spawn } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setImmediate as tick } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { RESULT } from '../../../src/ldap/errors.js';
import type { ResolveSrv } from '../../../src/support/srv.js';
import { makeCa } from '../../support/ca.js';
import { startDns } from '../../support/dns.js';
import { ldapProvider, type TestProvider } from '../../support/ldap.js';
import { GROUPS, PEOPLE } from '../../support/ldap-content.js';
import { listen, swallowing, type TestServer } from '../../support/relay.js';
import { BASE_LDIF, PASSWORD, READER_DN, type Slapd, type SlapdOptions, searchesIn, startSlapd } from '../../support/slapd.js';
import { temporaryDirectory } from '../../support/temporary.js';

const LDIF = `${BASE_LDIF}${['alice', 'slowpoke']
  .map((uid) => `dn: uid=${uid},${PEOPLE}\nobjectClass: inetOrgPerson\nuid: ${uid}\ncn: x\nsn: x\n\n`)
  .join('')}dn: cn=staff,${GROUPS}
objectClass: groupOfNames
cn: staff
member: uid=alice,${PEOPLE}
member: uid=slowpoke,${PEOPLE}

`;

/** Operations and results of RFC 4511, 4.2 to 4.12 and A.1. */
const [BIND_REQUEST, BIND_RESPONSE, SEARCH_DONE, EXTENDED_RESPONSE] = [0x60, 0x61, 0x65, 0x78];
const [OPERATIONS_ERROR, INVALID_CREDENTIALS] = [1, 49];

/** A whole response message, with no DN and no text. */
function response(id: number, operation: number, result: number): Buffer {
  return Buffer.from([0x30, 12, 2, 1, id, operation, 7, 10, 1, result, 4, 0, 4, 0]);
}

/** Says success to message 1. */
const STARTTLS_AGREED = response(1, EXTENDED_RESPONSE, 0);

/** For servers that are silent: short, so that the tests are. */
const SHORT = { connect_timeout: '1s', timeout: '1s' };
/** For a silent server beside one that answers. */
const FAIR = { connect_timeout: '5s', timeout: '5s' };
/** For those that answer, on a machine that has much else to do. */
const LONG = { connect_timeout: '30s', timeout: '30s' };

const directory = temporaryDirectory();
const sockets: Socket[] = [];
const created = (message: unknown): void => {
  if (typeof message === 'object' && message !== null && 'socket' in message) sockets.push(message.socket as Socket);
};
const servers: Slapd[] = [];
const providers: TestProvider[] = [];

beforeEach(() => subscribe('net.client.socket', created));
afterEach(async () => {
  unsubscribe('net.client.socket', created);
  for (const provider of providers.splice(0)) await provider.close?.();
  // Closing takes the event loop a few turns.
  for (let turn = 0; turn < 100 && sockets.some(({ destroyed }) => !destroyed); turn++) await tick();
  expect(sockets.splice(0).filter(({ destroyed }) => !destroyed)).toEqual([]);
});
afterAll(async () => {
  const logs = servers.map((slapd) => slapd.log());
  for (const slapd of servers) await slapd.remove();
  // Nobody ever searched as somebody else, or in plain text where TLS was to be.
  for (const log of logs) {
    const tls = log.includes('STARTTLS') || log.includes('TLS established');
    expect(searchesIn(log).filter((search) => search.dn !== READER_DN || search.tls !== tls)).toEqual([]);
  }
});

async function slapdWith(options: Partial<SlapdOptions> = {}): Promise<Slapd> {
  const slapd = await startSlapd({ ldif: LDIF, ...options });
  servers.push(slapd);
  return slapd;
}

function provide(table: Readonly<Record<string, unknown>>, extra: Parameters<typeof ldapProvider>[1] = {}): TestProvider {
  const provider = ldapProvider(
    { bind_dn: READER_DN, bind_password_file: passwordFile, user_base: PEOPLE, group_base: GROUPS, ...LONG, ...table },
    extra,
  );
  providers.push(provider);
  return provider;
}

const passwordFile = join(directory, 'password');
beforeAll(() => writeFileSync(passwordFile, PASSWORD, { mode: 0o600 }));

/** A clock of this process, which runs ahead until the end of the test. */
function ownClock(): { pass(ms: number): void } {
  const { now } = performance;
  let ahead = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now.call(performance) + ahead);
  onTestFinished(() => clock.mockRestore());
  return {
    pass(ms) {
      ahead += ms;
    },
  };
}

/** Stops a server until it is thawed, by the end of the test at the latest. */
function freeze(slapd: Slapd): void {
  slapd.freeze();
  onTestFinished(() => slapd.thaw());
}

/** Passes on all that is said. */
function pipe(client: Socket, port: number): void {
  const other = connect(port, '127.0.0.1');
  for (const [from, to] of [
    [client, other],
    [other, client],
  ] as const) {
    from.on('error', () => to.destroy()).on('close', () => to.destroy());
    from.pipe(to);
  }
}

async function server(serve: (socket: Socket) => void): Promise<TestServer> {
  const started = await listen(serve);
  onTestFinished(() => started.close());
  return started;
}

describe('a server in plain text', () => {
  let slapd: Slapd;
  let plain: Readonly<Record<string, unknown>>;
  beforeAll(async () => {
    slapd = await slapdWith();
    plain = { uris: [slapd.ldap], starttls: false };
  });
  const works = async (provider: TestProvider): Promise<void> => expect(await provider.names('alice')).toEqual(['staff']);

  it('that is killed in mid-search, and started again', async () => {
    const provider = provide(plain);
    await works(provider);
    freeze(slapd);
    const lookups = Promise.allSettled(Array.from({ length: 50 }, () => provider.names('alice')));
    await tick();
    await slapd.end('SIGKILL');
    for (const { status, reason } of (await lookups) as PromiseRejectedResult[]) {
      expect(status).toBe('rejected');
      // Refused, or reset, if the second connection was faster than the end of the process.
      expect(reason.message).toContain(`ldap: no server can be used: ${slapd.ldap}: `);
      expect(reason).toMatchObject({ provider: 'ldap', timedOut: false });
    }
    await slapd.start();
    await works(provider);
  });

  it('that is restarted between lookups', async () => {
    const provider = provide(plain);
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      await works(provider);
      await slapd.end(signal);
      await slapd.start();
      await works(provider);
    }
  });

  it('that is stopped before it binds us', async () => {
    const provider = provide({ ...SHORT, ...plain });
    freeze(slapd);
    const lookups = await Promise.allSettled([provider.names('alice'), provider.names('nobody')]);
    for (const lookup of lookups) {
      expect(lookup).toMatchObject({ status: 'rejected', reason: { timedOut: true } });
      expect(lookup).toMatchObject({ reason: { message: `ldap: no server can be used: ${slapd.ldap}: no connection within 1000 ms` } });
    }
    slapd.thaw();
    await works(provider);
  });

  it('that is stopped in mid-search', async () => {
    const provider = provide({ ...SHORT, ...plain });
    await works(provider);
    freeze(slapd);
    await expect(provider.names('alice')).rejects.toThrow(`ldap: ${slapd.ldap}: no answer to a search within 1000 ms`);
    slapd.thaw();
    await works(provider);
  });

  it('that is stopped, while the login has no more time', async () => {
    const provider = provide({ ...SHORT, ...plain, connect_timeout: '1h', timeout: '1h' });
    await works(provider);
    freeze(slapd);
    const login = new AbortController();
    const lookup = provider.names('alice', login.signal);
    await tick();
    login.abort(new Error('too late'));
    await expect(lookup).rejects.toMatchObject({
      timedOut: true,
      message: expect.stringContaining('no answer before the time for the whole lookup was over'),
    });
    slapd.thaw();
    await works(provider);
  });

  it('that does not answer one search keeps nobody else waiting', async () => {
    const relay = await swallowing(slapd.port, 'slowpoke');
    onTestFinished(() => relay.close());
    const provider = provide({ ...FAIR, uris: [`ldap://127.0.0.1:${relay.port}`], starttls: false });
    await works(provider);
    const slow = provider.names('slowpoke');
    const neighbours = Array.from({ length: 20 }, () => provider.names('alice'));
    expect(await Promise.all(neighbours)).toEqual(neighbours.map(() => ['staff']));
    await expect(slow).rejects.toThrow('no answer to a search within 5000 ms');
    expect(relay.connections).toBe(1);
    // That connection isn't trusted any more.
    await works(provider);
    expect(relay.connections).toBe(2);
  });

  it('that knows another password', async () => {
    const file = join(directory, 'wrong');
    writeFileSync(file, 'wrong password', { mode: 0o600 });
    const second = await server((socket) => socket.destroy());
    const provider = provide({ ...plain, uris: [slapd.ldap, `ldap://127.0.0.1:${second.port}`], bind_password_file: file });
    const error: unknown = await provider.names('alice').catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      message: `ldap: ${slapd.ldap}: bind as "${READER_DN}" refused: invalid credentials (result 49); not tried again for 5 min, unless the file of the password or certificate changes`,
      timedOut: false,
    });
    expect(provider.lines.join()).not.toContain('wrong password');
    // Trying it on every server would lock the account.
    expect(second.connections).toBe(0);
    writeFileSync(file, PASSWORD);
    await works(provider);
  });

  it('that refuses StartTLS gets neither password nor search', async () => {
    const before = slapd.log().length;
    await expect(provide({ uris: [slapd.ldap] }).names('alice')).rejects.toThrow(
      'the server refuses StartTLS: unsupported extended operation (result 2)',
    );
    expect(slapd.log().slice(before)).not.toMatch(/BIND|SRCH/);
  });

  it('of which the first one is down', async () => {
    const silent = await server(() => undefined);
    const provider = provide({ ...FAIR, ...plain, uris: [`ldap://127.0.0.1:${silent.port}`, slapd.ldap] });
    await works(provider);
    await works(provider);
    // It is skipped for half a minute, instead of costing every login its time limit.
    expect(silent.connections).toBe(1);
    const clock = ownClock();
    clock.pass(20_000);
    await works(provider);
    expect(silent.connections).toBe(1);
    clock.pass(10_000);
    await works(provider);
    await expect.poll(() => silent.connections).toBe(2);
    const warnings = provider.lines.filter((line) => line.startsWith('warning') && line.includes('skipped'));
    expect(warnings).toEqual([`warning: ldap: ldap://127.0.0.1:${silent.port}: no connection within 5000 ms; skipped for 30 s`]);
  });

  it('of which the first one was down, and is tried again while nobody waits for it', async () => {
    let serve = (socket: Socket): unknown => socket.destroy();
    const first = await server((socket) => serve(socket));
    // Longer than anybody here waits.
    const provider = provide({ ...plain, connect_timeout: '1h', timeout: '30s', uris: [`ldap://127.0.0.1:${first.port}`, slapd.ldap] });
    await works(provider);
    const clock = ownClock();
    clock.pass(30_000);
    serve = () => undefined;
    await works(provider);
    await works(provider);
    await expect.poll(() => first.connections).toBe(2);
  });

  it('of which the first one was down, and then refuses our bind', async () => {
    let serve = (socket: Socket): unknown => socket.destroy();
    const first = await server((socket) => serve(socket));
    const uri = `ldap://127.0.0.1:${first.port}`;
    const provider = provide({ ...plain, uris: [uri, slapd.ldap] });
    await works(provider);
    const clock = ownClock();
    clock.pass(30_000);
    serve = (socket) => socket.on('data', (message: Buffer) => socket.write(response(message[4] ?? 0, BIND_RESPONSE, INVALID_CREDENTIALS)));
    await Promise.all([works(provider), works(provider), works(provider)]);
    const warning = `warning: ldap: ${uri}: bind as "${READER_DN}" refused: invalid credentials (result 49); not tried again for 5 min, unless the file of the password or certificate changes; skipped for 30 s`;
    await expect.poll(() => provider.lines).toContain(warning);
    await works(provider);
    expect(first.connections).toBe(2);
    expect(provider.lines.filter((line) => line === warning)).toHaveLength(1);
  });

  it('of which the first one was down, and is used again when it is back', async () => {
    let back = false;
    const first = await server((socket) => (back ? pipe(socket, slapd.port) : socket.destroy()));
    const uri = `ldap://127.0.0.1:${first.port}`;
    const provider = provide({ ...plain, uris: [uri, slapd.ldap] });
    await works(provider);
    const clock = ownClock();
    clock.pass(30_000);
    back = true;
    await works(provider);
    await expect.poll(() => provider.lines).toContain(`info: ldap: ${uri}: connected again`);
    await works(provider);
    expect(provider.lines.at(-1)).toContain(`(${uri})`);
  });

  it('of which the first one goes silent in mid-search', async () => {
    const relay = await swallowing(slapd.port, 'slowpoke');
    onTestFinished(() => relay.close());
    const provider = provide({ ...FAIR, ...plain, uris: [`ldap://127.0.0.1:${relay.port}`, slapd.ldap] });
    await works(provider);
    expect(await provider.names('slowpoke')).toEqual(['staff']);
    expect(provider.lines).toContain(`debug: ldap://127.0.0.1:${relay.port}: no answer to a search within 5000 ms; trying once more`);
  });

  it.each([
    ['hangs up on a search', () => undefined],
    ['says that it is busy', (id: number) => response(id, SEARCH_DONE, RESULT.busy)],
  ])('of which the first one %s, though it takes our bind', async (_, answer) => {
    const broken = await server((socket) =>
      socket.on('data', (message: Buffer) => {
        const [id = 0, operation] = message.subarray(4);
        if (operation === BIND_REQUEST) socket.write(response(id, BIND_RESPONSE, 0));
        else {
          const reply = answer(id);
          if (reply === undefined) socket.destroy();
          else socket.write(reply);
        }
      }),
    );
    const provider = provide({ ...plain, uris: [`ldap://127.0.0.1:${broken.port}`, slapd.ldap] });
    await works(provider);
    await works(provider);
    expect(broken.connections).toBe(1);
  });

  it('of which the first one can not bind anybody', async () => {
    const broken = await server((socket) =>
      socket.on('data', (message: Buffer) => {
        socket.write(response(message[4] ?? 0, BIND_RESPONSE, OPERATIONS_ERROR));
      }),
    );
    await works(provide({ ...plain, uris: [`ldap://127.0.0.1:${broken.port}`, slapd.ldap] }));
  });

  it('beside a name that DNS does not know', async () => {
    const dns = await startDns('_ldap._tcp.example.test', []);
    onTestFinished(dns.close);
    const provider = provide({ ...plain, uris: ['srv:example.test', slapd.ldap] }, { resolveSrv: dns.resolveSrv });
    await works(provider);
    expect(provider.lines).toContain(
      'warning: ldap: SRV _ldap._tcp.example.test: querySrv ENOTFOUND _ldap._tcp.example.test; going on with the other servers',
    );
  });

  it('of which none is up', async () => {
    const down = ['ldap://127.0.0.1:1', 'ldap://[::1]:1'];
    const provider = provide({ ...plain, uris: down });
    const message = 'ldap: no server can be used: ldap://127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1; ldap://[::1]:1: connect E';
    await expect(provider.names('alice')).rejects.toThrow(message);
    // All are left out, so all are tried.
    await expect(provider.names('alice')).rejects.toThrow(message);
  });

  it('that hangs up, asked 1,000 times at once by a cold provider', async () => {
    const rude = await server((socket) => socket.destroy());
    const provider = provide({ uris: [`ldap://127.0.0.1:${rude.port}`], starttls: false });
    const results = await Promise.allSettled(Array.from({ length: 1000 }, () => provider.names('alice')));
    expect(new Set(results.map(({ status }) => status))).toEqual(new Set(['rejected']));
    expect(rude.connections).toBe(1);
    // Each login says it; a warning would say it once more.
    expect(provider.lines.filter((line) => line.startsWith('warning'))).toEqual([]);
  });

  it('that cannot even be connected to', async () => {
    // A stopped process whose queue of connections is full: the kernel lets nobody in.
    const script = "require('net').createServer().listen({port:0,host:'127.0.0.1',backlog:1},function(){console.log(this.address().port)})";
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    const port = Number(await new Promise((resolve) => child.stdout.once('data', resolve)));
    child.kill('SIGSTOP');
    const fillers = [1, 2, 3].map(() => connect(port, '127.0.0.1').on('error', () => undefined));
    onTestFinished(() => fillers.forEach((socket) => void socket.destroy()));
    await new Promise((resolve) => fillers[1]?.once('connect', resolve));
    const provider = provide({ ...SHORT, uris: [`ldap://127.0.0.1:${port}`], starttls: false });
    await expect(provider.names('alice')).rejects.toMatchObject({
      timedOut: true,
      message: expect.stringContaining('no connection within 1000 ms'),
    });
    fillers.forEach((socket) => void socket.destroy());
  });
});

describe('a server with TLS', () => {
  const ca = makeCa(directory, 'right');
  const other = makeCa(directory, 'other');
  let slapd: Slapd;
  let expired: Slapd;
  beforeAll(async () => {
    slapd = await slapdWith({ tls: { ca, certificate: ca.issue('server', ['DNS:localhost']) } });
    expired = await slapdWith({ tls: { ca, certificate: ca.issue('expired', ['DNS:localhost'], -1) } });
  });

  it.each(['ldap', 'ldaps'] as const)('whose certificate is not to be trusted: %s', async (scheme) => {
    const before = slapd.log().length;
    const byAddress = slapd[scheme].replace('localhost', '127.0.0.1');
    await expect(provide({ uris: [slapd[scheme]], tls_ca_file: other.file }).names('alice')).rejects.toThrow(
      /self-signed certificate in certificate chain|unable to (verify the first|get local issuer) certificate/,
    );
    await expect(provide({ uris: [slapd[scheme]] }).names('alice')).rejects.toThrow(
      /self-signed certificate in certificate chain|unable to (verify the first|get local issuer) certificate/,
    );
    await expect(provide({ uris: [byAddress], tls_ca_file: ca.file }).names('alice')).rejects.toThrow(
      "IP: 127.0.0.1 is not in the cert's list",
    );
    await expect(provide({ uris: [expired[scheme]], tls_ca_file: ca.file }).names('alice')).rejects.toThrow('certificate has expired');
    expect(slapd.log().slice(before) + expired.log()).not.toMatch(/BIND|SRCH/);
    expect(await provide({ uris: [slapd[scheme]], tls_ca_file: ca.file }).names('alice')).toEqual(['staff']);
  });

  it.each(['ldap', 'ldaps'] as const)('that is lost in mid-search and comes back: %s', async (scheme) => {
    const provider = provide({ uris: [slapd[scheme]], tls_ca_file: ca.file });
    expect(await provider.names('alice')).toEqual(['staff']);
    freeze(slapd);
    const lost = expect(provider.names('alice')).rejects.toThrow(`ldap: no server can be used: ${slapd[scheme]}: `);
    await tick();
    await slapd.end('SIGKILL');
    await lost;
    await slapd.start();
    expect(await provider.names('alice')).toEqual(['staff']);
    await slapd.end();
    await slapd.start();
    expect(await provider.names('alice')).toEqual(['staff']);
  });

  it('that wants the oldest TLS only', async () => {
    const old = await slapdWith({
      tls: { ca, certificate: ca.issue('old', ['DNS:localhost']) },
      globalConfig: ['TLSProtocolMin 3.3', 'TLSCipherSuite NORMAL:-VERS-TLS1.3'],
    });
    await expect(provide({ uris: [old.ldaps], tls_ca_file: ca.file, tls_min_version: 'TLSv1.3' }).names('alice')).rejects.toThrow(
      'no server can be used',
    );
    expect(await provide({ uris: [old.ldaps], tls_ca_file: ca.file }).names('alice')).toEqual(['staff']);
  });

  it('whose handshake stalls', async () => {
    const silent = await server(() => undefined);
    const message = 'no connection within 1000 ms';
    await expect(provide({ ...SHORT, uris: [`ldaps://127.0.0.1:${silent.port}`] }).names('alice')).rejects.toThrow(message);
    await expect(provide({ ...SHORT, uris: [`ldap://127.0.0.1:${silent.port}`] }).names('alice')).rejects.toThrow(message);
    const agrees = await server((socket) => socket.once('data', () => socket.write(STARTTLS_AGREED)));
    await expect(provide({ ...SHORT, uris: [`ldap://127.0.0.1:${agrees.port}`] }).names('alice')).rejects.toThrow(message);
  });

  it.each([
    [
      'closes instead of answering',
      (socket: Socket): unknown => socket.once('data', () => socket.end()),
      'the server closed the connection instead of answering StartTLS',
    ],
    [
      'closes in the handshake',
      (socket: Socket): unknown =>
        socket.once('data', () => socket.write(STARTTLS_AGREED, () => socket.once('data', () => socket.destroy()))),
      /the server closed the connection|socket disconnected before secure TLS|ECONNRESET/,
    ],
    [
      'says more in plain text than it should',
      (socket: Socket): unknown => socket.once('data', () => socket.write(Buffer.concat([STARTTLS_AGREED, STARTTLS_AGREED]))),
      'the server sent more than its answer in plain text',
    ],
    [
      'is no LDAP server',
      (socket: Socket): unknown => socket.write('220 mail.example ESMTP\r\n'),
      'StartTLS: what answers is no LDAP server',
    ],
    [
      'answers another request',
      (socket: Socket): unknown => socket.once('data', () => socket.write(response(9, BIND_RESPONSE, 0))),
      'StartTLS: the server answered something else',
    ],
  ])('that %s', async (_, serve, message) => {
    const odd = await server(serve);
    await expect(provide({ uris: [`ldap://127.0.0.1:${odd.port}`] }).names('alice')).rejects.toThrow(message);
  });
});

describe('servers named by DNS', () => {
  const ca = makeCa(directory, 'dns');
  let slapd: Slapd;
  beforeAll(async () => {
    slapd = await slapdWith({ tls: { ca, certificate: ca.issue('domain', ['DNS:example.test']) } });
  });
  const srv = { uris: ['srv:example.test'], tls_ca_file: ca.file };

  it('are tried by priority, with certificates for the domain', async () => {
    const dns = await startDns('_ldap._tcp.example.test', [
      [20, 0, slapd.port, 'localhost'],
      [10, 0, 1, 'localhost'],
    ]);
    onTestFinished(dns.close);
    const provider = provide(srv, { resolveSrv: dns.resolveSrv });
    expect(await Promise.all([provider.names('alice'), provider.names('slowpoke')])).toEqual([['staff'], ['staff']]);
    expect(dns.questions).toBe(1);
  });

  it('are asked for again after a minute, and the last answer is used when there is none', async () => {
    let asked = 0;
    const resolveSrv: ResolveSrv = () => {
      asked++;
      return asked === 1
        ? Promise.resolve([{ name: 'localhost', port: slapd.port, priority: 0, weight: 0 }])
        : new Promise<never>(() => {});
    };
    const provider = provide({ ...srv, connect_timeout: '5s' }, { resolveSrv });
    expect(await provider.names('alice')).toEqual(['staff']);
    const clock = ownClock();
    clock.pass(59_000);
    expect(await provider.names('alice')).toEqual(['staff']);
    expect(asked).toBe(1);
    clock.pass(1_000);
    expect(await Promise.all([provider.names('alice'), provider.names('slowpoke')])).toEqual([['staff'], ['staff']]);
    expect(asked).toBe(2);
  });

  it('must not answer for a host outside the domain', async () => {
    const rogue = await slapdWith({ tls: { ca, certificate: ca.issue('rogue', ['DNS:localhost']) } });
    const dns = await startDns('_ldap._tcp.example.test', [[0, 0, rogue.port, 'localhost']]);
    onTestFinished(dns.close);
    await expect(provide(srv, { resolveSrv: dns.resolveSrv }).names('alice')).rejects.toThrow(
      "Host: example.test. is not in the cert's altnames",
    );
    expect(rogue.log()).not.toMatch(/BIND|SRCH/);
  });

  it('may be none, or DNS silent', async () => {
    const empty = await startDns('_ldap._tcp.example.test', []);
    onTestFinished(empty.close);
    await expect(provide({ ...SHORT, ...srv }, { resolveSrv: empty.resolveSrv }).names('alice')).rejects.toThrow(
      'ldap: SRV _ldap._tcp.example.test: querySrv ENOTFOUND',
    );
    const none = await startDns('_ldap._tcp.example.test', [[0, 0, 0, '']]);
    onTestFinished(none.close);
    await expect(provide({ ...SHORT, ...srv }, { resolveSrv: none.resolveSrv }).names('alice')).rejects.toThrow(
      'ldap: SRV _ldap._tcp.example.test: ',
    );
    const silent = await startDns('_ldap._tcp.example.test', undefined);
    onTestFinished(silent.close);
    await expect(provide({ ...SHORT, ...srv }, { resolveSrv: silent.resolveSrv }).names('alice')).rejects.toThrow(
      /SRV _ldap\._tcp\.example\.test: (no answer within 1000 ms|querySrv ETIMEOUT)/,
    );
  });
});
