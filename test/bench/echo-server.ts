import { createServer } from 'node:net';

/**
 * The rival of the service: no more than Node itself costs. A post-login request is two lines, of which it sends the second one back; an
 * LDAP message it sends back as it came, which also shows how many searches a second the benchmark's client can make at all.
 */

const NEWLINE = 0x0a;
const LDAP_MESSAGE = 0x30;
const [path = ''] = process.argv.slice(2);
createServer((socket) => {
  let ldap: boolean | undefined;
  socket.on('data', (chunk) => {
    ldap ??= chunk[0] === LDAP_MESSAGE;
    socket.write(ldap ? chunk : chunk.subarray(chunk.indexOf(NEWLINE) + 1));
  });
  socket.on('error', () => socket.destroy());
}).listen(path, () => process.stderr.write('listening\n'));
