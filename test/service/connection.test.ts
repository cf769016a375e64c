import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { EqualityFilter, SearchRequest } from 'ldapts';
import { afterEach, describe, expect, it } from 'vitest';
import { VERSION_LINE } from '../../src/doors/post-login/protocol.js';
import { type Connection, type ConnectionHandler, serveConnection } from '../../src/service/connection.js';
import { testDirectory } from '../support/command.js';

const REQUEST = `${VERSION_LINE}127.0.0.1\t127.0.0.1\talice\tuid=1\n`;

const directory = testDirectory();
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** One client and its connection; what is refused is in `refused`. */
async function open(
  deadline: number,
  answer = 'staff',
  more: Partial<ConnectionHandler> = {},
): Promise<{ client: Socket; connection: Connection; refused: string[] }> {
  const refused: string[] = [];
  const handler: ConnectionHandler = {
    answer: async () => ({ verdict: 'grant', text: answer }),
    monitor: () => ({}),
    onRequest: () => {},
    onAnswered: () => {},
    onRefused: (reason) => refused.push(reason),
    onFailed: () => {},
    ...more,
  };
  const path = join(directory.path, `${closing.length}.${Math.random()}`);
  const server = createServer({ allowHalfOpen: true });
  const accepted = new Promise<Connection>((resolve) => {
    server.on('connection', (socket) => resolve(serveConnection(socket, handler, deadline)));
  });
  server.listen(path);
  await once(server, 'listening');
  const client = connect(path);
  client.on('error', () => {});
  closing.push(
    () => client.destroy(),
    () => server.close(),
  );
  return { client, connection: await accepted, refused };
}

/** Resolves when the service has closed the connection; what the client still writes then is its own error. */
const closed = (client: Socket): Promise<void> =>
  new Promise((resolve) => {
    client.once('close', () => resolve());
    client.resume();
  });

describe('serveConnection', () => {
  it.each([
    ['nothing', '', []],
    ['half a version', 'VERSION', ['no whole request came within 50 ms']],
    ['no request', VERSION_LINE, ['no whole request came within 50 ms']],
    ['half a request', REQUEST.slice(0, -3), ['no whole request came within 50 ms']],
  ])('closes on a client that has sent %s when its time is over', async (_, sent, reasons) => {
    const { client, refused } = await open(50);
    client.write(sent);
    await closed(client);
    expect(refused).toEqual(reasons);
  });

  it('has no more patience with a client that sends a byte at a time', async () => {
    const { client, refused } = await open(1000);
    const trickle = setInterval(() => client.write('V'), 100);
    await closed(client);
    clearInterval(trickle);
    expect(refused).toEqual(['no whole request came within 1000 ms']);
  });

  it('closes on a client that does not take its reply', async () => {
    // More than the kernel keeps for a socket.
    const { client, refused } = await open(200, 'x'.repeat(8 * 1024 * 1024));
    client.pause();
    client.write(REQUEST);
    await expect.poll(() => refused).toEqual(['the reply was not taken within 200 ms']);
  });

  it('says so when a client breaks off', async () => {
    const { client, refused } = await open(60_000);
    client.end(REQUEST.slice(0, -1));
    await closed(client);
    expect(refused).toEqual(['the client broke off in the middle of a request']);
  });

  it('lets a reply arrive that is on its way when the service ends', async () => {
    const { client, connection, refused } = await open(60_000, 'x'.repeat(8 * 1024 * 1024));
    client.pause();
    client.write(REQUEST);
    // The first of it is there, and the rest more than the kernel keeps.
    await new Promise((resolve) => client.once('readable', resolve));
    connection.drain();
    // Past the time for clients that have sent nothing.
    await new Promise((resolve) => setTimeout(resolve, 600));
    let received = 0;
    client.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (chunk.at(-1) === 10) client.end();
    });
    await closed(client);
    expect(received).toBeGreaterThan(8 * 1024 * 1024);
    expect(refused).toEqual([]);
  });

  it('gives a client that has sent half a request a moment when the service ends, and says so', async () => {
    const { client, connection, refused } = await open(60_000);
    client.write(REQUEST.slice(0, -1));
    connection.drain();
    await closed(client);
    expect(refused).toEqual(['the service ends, and no whole request has come']);
  });

  it('answers no more at a time than the client takes', async () => {
    const size = 1024 * 1024;
    const count = 50;
    let answers = 0;
    const answer: ConnectionHandler['answer'] = () => {
      answers++;
      return { verdict: 'grant', text: 'x'.repeat(size) };
    };
    const { client } = await open(60_000, '', { answer });
    client.pause();
    client.write(VERSION_LINE + '\t\talice\n'.repeat(count));
    await new Promise((resolve) => client.once('readable', resolve));
    expect(answers).toBe(1);
    let received = 0;
    client.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received >= count * size && chunk.at(-1) === 10) client.end();
    });
    await closed(client);
    expect(received).toBe(count * (size + 'alice\tacl_groups=\n'.length));
    expect(answers).toBe(count);
  });
});

describe('serveConnection by LDAP', () => {
  const search = (messageId: number, user: string): Buffer =>
    new SearchRequest({
      messageId,
      baseDN: 'dc=acl-groups',
      scope: 'sub',
      filter: new EqualityFilter({ attribute: 'uid', value: user }),
      attributes: ['aclGroups'],
    }).write();
  const abandon = (id: number): Buffer => Buffer.from([0x30, 6, 2, 1, 99, 0x50, 1, id]);

  /** A client whose searches for `held` are answered when that is told; `users` are those named in the entries that came. */
  async function openLdap(): Promise<{ client: Socket; release: () => void; users: () => readonly string[] }> {
    let release = (): void => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const answer: ConnectionHandler['answer'] = async ({ name }) => {
      if (name === 'held') await released;
      return { verdict: 'grant', text: 'staff' };
    };
    const { client } = await open(60_000, '', { answer });
    let received = '';
    client.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
    return { client, release, users: () => [...received.matchAll(/uid=(\w+),/g)].map(([, user = '']) => user) };
  }

  it('takes an abandon of what is not in hand for nothing: that number may still come', async () => {
    const { client, release, users } = await openLdap();
    client.write(Buffer.concat([search(1, 'held'), abandon(2), search(2, 'bob')]));
    await expect.poll(users).toEqual(['bob']);
    release();
    await expect.poll(users).toEqual(['bob', 'held']);
  });

  it('answers a request by the number of one that was abandoned, and that one not', async () => {
    const { client, release, users } = await openLdap();
    client.write(Buffer.concat([search(5, 'held'), abandon(5), search(5, 'bob')]));
    await expect.poll(users).toEqual(['bob']);
    release();
    client.write(search(6, 'carol'));
    await expect.poll(users).toEqual(['bob', 'carol']);
  });
});
