import { createServer, type Socket } from 'node:net';
import { OPERATION, parseMessage, type SearchRequest } from '../../src/doors/userdb/message.js';
import { entryOperation, message, result } from '../../src/doors/userdb/response.js';
import { splitMessages } from './ldap-wire.js';

/*
 * A directory of any number of users, out of thin air: each has an entry, and is a member of 5 to 20 groups whose names have 8 to 24
 * letters. What is measured with it is the service that asks; a slapd with a million entries would take the machine's memory.
 */

const [path = ''] = process.argv.slice(2);
createServer((socket) => {
  socket.on(
    'data',
    splitMessages((bytes) => answer(socket, bytes)),
  );
  socket.on('error', () => socket.destroy());
}).listen(path, () => process.stderr.write('listening\n'));

function answer(socket: Socket, bytes: Buffer): void {
  const { id, request } = parseMessage(bytes);
  let reply = '';
  if (request.kind === 'bind') reply = message(id, result(OPERATION.bindResponse, 0));
  else if (request.kind === 'search')
    reply = [...found(request), result(OPERATION.searchResultDone, 0)].map((operation) => message(id, operation)).join('');
  else if (request.kind === 'unbind') socket.end();
  if (reply !== '') socket.write(reply, 'latin1');
}

function found({ filter }: SearchRequest): readonly string[] {
  // The only value in the filter: (uid=user17), or (member=uid=user17,ou=people,...).
  const text = filter.content.toString('latin1');
  const [, number] = /user(\d+)/.exec(text) ?? [];
  if (number === undefined) return [];
  if (!text.includes('member')) {
    const dn = `uid=user${number},ou=people,dc=example,dc=test`;
    return [entryOperation({ dn, attributes: { uid: [`user${number}`] } })];
  }
  return groupsOf(Number(number)).map((name) => {
    return entryOperation({ dn: `cn=${name},ou=groups,dc=example,dc=test`, attributes: { cn: [name] } });
  });
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

/** Five thousand groups, of which a user's number picks some. */
const GROUPS: readonly string[] = Array.from({ length: 5000 }, (_, index) => {
  const length = 8 + (index % 17);
  const letters = Array.from({ length: length - 5 }, (_, position) => LETTERS[(index * 7 + position * position) % LETTERS.length]);
  return `${letters.join('')}-${String(index).padStart(4, '0')}`;
});

function groupsOf(user: number): readonly string[] {
  const count = 5 + (user % 16);
  return Array.from({ length: count }, (_, index) => GROUPS[(user * 31 + index * 311) % GROUPS.length] ?? '');
}
