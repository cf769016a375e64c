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
  const rows = figures.map(([name, value]) => [[inWords(name), 'dim'] as const, typeof value === 'string' ? value : value.join(', ')]);
  process.stdout.write(formatTable(rows, await paintFor(process.stdout)));
  return EXIT.ok;
}

/** LDAP has texts only; what is a number is one in JSON, and what is a list is one however many it holds. */
function typed(name: string, value: string | readonly string[]): unknown {
  if (LISTS.has(name)) return typeof value === 'string' ? [value] : value;
  return typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? Number(value) : value;
}
