import { fstatSync, writeSync } from 'node:fs';
import { dovecotLogLine } from '../dovecot/log-format.js';
import { createLogger, type Logger } from '../support/log.js';

/** Where diagnostics go: the launcher says so where it keeps Node.js's own last words from the log. */
const STDERR: 2 | 4 = process.env.ACL_GROUPS_LOG_DESCRIPTOR === '4' ? 4 : 2;

/**
 * The logger of this process: stderr, in Dovecot's log format where that is where stderr leads.
 *
 * Dovecot's master says so by LOG_SERVICE (lib-master/master-service.c). script-login wipes that variable, but always sets
 * USERDB_KEYS, and its stderr is a pipe to the log process.
 */
export function stderrLogger(options: { debug: boolean; pid?: number } = { debug: false }): Logger {
  const pid = options.pid ?? process.pid;
  const dovecot = process.env.LOG_SERVICE !== undefined || (process.env.USERDB_KEYS !== undefined && isPipe(STDERR));
  return createLogger((level, message) => {
    const line = dovecot ? dovecotLogLine(level, pid, message) : `acl-groups: ${level}: ${message}\n`;
    try {
      writeSync(STDERR, line);
    } catch {
      // A log that is gone or full must not cost the login.
    }
  }, options);
}

function isPipe(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isFIFO();
  } catch {
    return false;
  }
}
