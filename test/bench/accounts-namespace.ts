import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { NotPossible } from './benchmark.js';

// The mounts are private to the namespace: nothing of the machine's own files changes, and all is undone when the process ends.
const IN_NAMESPACE = `for file in passwd group nsswitch.conf; do
  mount --bind "$1/$file" "/etc/$file" || exit
done
shift
exec "$@"`;

/**
 * Runs a program where `directory` has /etc/passwd, /etc/group and /etc/nsswitch.conf, and returns what it prints.
 * @throws NotPossible where this process isn't root's
 */
export async function runWithAccounts(directory: string, program: readonly string[]): Promise<string> {
  if (process.getuid?.() !== 0) throw new NotPossible('it replaces the account files in a mount namespace, which needs root');
  const shell = ['sh', '-c', IN_NAMESPACE, 'sh', directory, ...program];
  const child = spawn('unshare', ['--mount', '--propagation', 'private', ...shell], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [output, status] = await Promise.all([text(child.stdout), ended]);
  if (status !== 0) throw new Error(`measuring inside the namespace ended with status ${status}`);
  return output;
}
