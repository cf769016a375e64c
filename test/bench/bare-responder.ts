import { fstatSync } from 'node:fs';
import { createServer } from 'node:net';

/**
 * The least that a userdb in Node.js costs a login: under Dovecot's master like `serve`, it answers each search with one entry whose
 * value is always the same. It reads no filter and knows no limits, so that it is no LDAP server. It imports nothing that isn't Node's:
 * one file of it is put into Dovecot's world.
 */

const BIND = 0x60;
const SEARCH = 0x63;
const SUCCESS = Buffer.from([0x0a, 1, 0, 4, 0, 4, 0]);
const UID = /uid..(\w+)/s;
const [groups = ''] = process.argv.slice(2);

/** An element of at most 255 bytes. */
function element(tag: number, ...contents: readonly (Buffer | string)[]): Buffer {
  const content = Buffer.concat(contents.map((each) => Buffer.from(each)));
  return Buffer.concat([Buffer.from(content.length < 0x80 ? [tag, content.length] : [tag, 0x81, content.length]), content]);
}

function attribute(name: string, value: string): Buffer {
  return element(0x30, element(4, name), element(0x31, element(4, value)));
}

/** Messages are whole and have a length of one byte, or of one that says so: auth writes each at once, one behind the other. */
function messagesIn(chunk: Buffer): readonly Buffer[] {
  const messages: Buffer[] = [];
  for (let start = 0; start < chunk.length; ) {
    const isLong = chunk.readUInt8(start + 1) === 0x81;
    const end = start + (isLong ? 3 + chunk.readUInt8(start + 2) : 2 + chunk.readUInt8(start + 1));
    messages.push(chunk.subarray(start, end));
    start = end;
  }
  return messages;
}

/** The replies to a message. */
function repliesTo(message: Buffer): Buffer {
  const start = message.readUInt8(1) === 0x81 ? 3 : 2;
  const id = message.subarray(start, start + 2 + message.readUInt8(start + 1));
  const operation = message.readUInt8(start + id.length);
  if (operation === BIND) return element(0x30, id, element(0x61, SUCCESS));
  if (operation !== SEARCH) return Buffer.alloc(0);
  const [, user = ''] = UID.exec(message.toString('latin1')) ?? [];
  const attributes = element(0x30, attribute('uid', user), attribute('aclGroups', `${user},${groups}`));
  const entry = element(0x64, element(4, `uid=${user},dc=acl-groups`), attributes);
  return Buffer.concat([element(0x30, id, entry), element(0x30, id, element(0x65, SUCCESS))]);
}

// Dovecot's master hands the listener over as one of these descriptors (src/dovecot/master.ts).
const listener = [7, 8, 9, 10].find((fd) => {
  try {
    return fstatSync(fd).isSocket();
  } catch {
    return false;
  }
});
createServer((socket) => {
  socket.on('data', (chunk: Buffer) => {
    socket.write(Buffer.concat(messagesIn(chunk).map(repliesTo)));
  });
  socket.on('error', () => socket.destroy());
}).listen({ fd: listener });
