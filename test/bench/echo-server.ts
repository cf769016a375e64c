import { createServer } from 'node:net';

/** The rival of the service: reads the same two lines, and sends the second one back. No more than Node itself costs. */

const NEWLINE = 0x0a;
const [path = ''] = process.argv.slice(2);
createServer((socket) => {
  socket.on('data', (chunk) => socket.write(chunk.subarray(chunk.indexOf(NEWLINE) + 1)));
  socket.on('error', () => socket.destroy());
}).listen(path, () => process.stderr.write('listening\n'));
