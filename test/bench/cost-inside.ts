import { parseOptions } from '../../src/config/options.js';
import unix from '../../src/providers/unix/definition.js';
import { concurrently, inBatches, timed } from './measure.js';
import { timeProcess } from './processes.js';

/** The part of the cost benchmark that runs where /etc/passwd and /etc/group are the generated ones. Prints samples by name. */

const [command = '', count = ''] = process.argv.slice(2);
const user = { name: 'alice', account: 'alice', fields: new Map<string, string>() };
const silent = { debug() {}, info() {}, warning() {}, error() {} };
const open = () => unix.create(parseOptions(unix.options, { source: 'files' }, 'bench'), { log: silent, directory: '/' });
const { signal } = new AbortController();

async function openAndAsk(): Promise<void> {
  const provider = open();
  if ((await provider.groups(user, signal))?.length === 0) throw new Error('alice has no groups');
  await provider.close?.();
}

const warm = open();
await warm.groups(user, signal);
const samples = {
  'exec mode': await concurrently(Number(count), 1, () => timeProcess({ file: command, args: ['/bin/true'], env: { USER: 'alice' } })),
  'service, the file has changed': await concurrently(Number(count), 1, timed(openAndAsk)),
  'service, as it was': await inBatches(Number(count), 200, () => warm.groups(user, signal)),
};
await warm.close?.();
process.stdout.write(JSON.stringify(samples));
