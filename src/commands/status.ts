import type { Invocation } from '../args.js';
import { inWords, LISTS } from '../service/counters.js';
import { readMonitor } from '../service/userdb-client.js';
import { EXIT, UsageError } from '../support/errors.js';
import { printableJson } from '../support/text.js';
import { paintFor } from '../terminal/paint.js';
import { formatTable } from '../terminal/table.js';

/**
 * Shows what a running service has done: its entry cn=monitor.
 * @throws UsageError; AclGroupsError when the service can't be asked
 */
export async function status({ options, operands }: Invocation): Promise<number> {
  if (options.socket === undefined) throw new UsageError("status needs --socket: the service's socket, such as /run/dovecot/acl-groups");
  if (operands[0] !== undefined) throw new UsageError(`status takes no operand, found "${operands[0]}"; try: acl-groups --help`);
  const figures = Object.entries(await readMonitor(options.socket));
  if (options.json) {
    process.stdout.write(`${printableJson(Object.fromEntries(figures.map(([name, value]) => [name, typed(name, value)])))}\n`);
    return EXIT.ok;
  }
  const rows = figures.map(([name, value]) => {
    const { label, text } = forPeople(name, value);
    return [[label, 'dim'] as const, text];
  });
  process.stdout.write(formatTable(rows, await paintFor(process.stdout)));
  return EXIT.ok;
}

/** A figure with its unit, and a list as words. */
function forPeople(name: string, value: string | readonly string[]): { readonly label: string; readonly text: string } {
  const words = inWords(name);
  if (typeof value !== 'string' || value === '') return { label: words, text: (value === '' ? [] : value).join(', ') || 'none' };
  if (name === 'slowestLookup') return { label: words, text: `${value} ms` };
  const [, label = words, unit] = /^(.*) (bytes|seconds)$/.exec(words) ?? [];
  if (unit === 'seconds') return { label, text: `${value} s` };
  if (unit === 'bytes') return { label, text: `${(Number(value) / 1024 ** 2).toFixed(1)} MiB` };
  return { label, text: value };
}

/** LDAP has texts only; what is a number is one in JSON, and what is a list is one however many it holds. */
function typed(name: string, value: string | readonly string[]): unknown {
  if (LISTS.has(name)) return typeof value === 'string' ? [value] : value;
  return typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? Number(value) : value;
}
