import type { Invocation } from '../args.js';
import { CHECKS } from '../check/list.js';
import { openSubject } from '../check/open-subject.js';
import { type Report, runChecks } from '../check/run.js';
import { EXIT, UsageError } from '../support/errors.js';
import { printableJson } from '../support/text.js';
import { formatFindings } from '../terminal/findings.js';
import { paintFor, terminalWidth } from '../terminal/paint.js';

/** How wide a table is where nobody says how wide the terminal is. */
const WIDTH = 80;

/**
 * Looks at this machine, and says what would go wrong and how to fix it.
 * @throws UsageError
 */
export async function check({ options, operands }: Invocation): Promise<number> {
  const [user = 'root', ...more] = operands;
  if (more[0] !== undefined) throw new UsageError(`check takes one user, found "${more[0]}" as well; try: acl-groups --help`);
  const { config, dovecotConfig, socket, acl = [] } = options;
  const subject = await openSubject({ config, dovecotConfig, socket, acl, user });
  const reports: Report[] = [];
  for await (const report of runChecks(subject, CHECKS)) reports.push(report);
  if (options.json) process.stdout.write(reports.map((report) => `${printableJson(jsonReport(report))}\n`).join(''));
  else process.stdout.write(formatFindings(reports, await paintFor(process.stdout), terminalWidth(process.stdout) ?? WIDTH));
  return reports.some(({ level }) => level === 'error') ? EXIT.config : EXIT.ok;
}

/** What `--json` promises: these keys and no others. */
function jsonReport({ section, check, level, place, message, fix }: Report): unknown {
  return { section, check, level, place, message, fix };
}
