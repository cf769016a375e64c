import { fstatSync, writeSync } from 'node:fs';
import { dovecotLogLine } from '../dovecot/log-format.js';
import { textOf } from '../exec/environment.js';
import { findLauncher } from '../exec/launcher.js';
import { createLogger, type Logger, type LogLevel } from '../support/log.js';

/** The levels of syslog that systemd takes at the start of a line (sd-daemon(3)). */
const JOURNAL_LEVEL: Readonly<Record<LogLevel, number>> = { error: 3, warning: 4, info: 6, debug: 7 };

/** The logger of this process: stderr, in the format of whoever reads there. */
export function stderrLogger(options: { debug: boolean } = { debug: false }): Logger {
  const { descriptor, format } = stderrFormat();
  return createLogger((level, message) => {
    try {
      writeSync(descriptor, format(level, message));
    } catch {
      // A log that is gone or full must not cost the login.
    }
  }, options);
}

/** What the logger of this process would write, and where, for a thread that writes it by itself. */
export function stderrLine(level: LogLevel, message: string): { readonly descriptor: number; readonly text: string } {
  const { descriptor, format } = stderrFormat();
  return { descriptor, text: format(level, message) };
}

interface StderrFormat {
  readonly descriptor: number;
  format(level: LogLevel, message: string): string;
}

/**
 * Dovecot's master says by LOG_SERVICE that it does (lib-master/master-service.c). script-login wipes that variable, but always sets
 * USERDB_KEYS, and its stderr is a pipe to the log process. systemd names the stream to the journal by JOURNAL_STREAM (systemd.exec(5)),
 * which a process may have whose stderr leads elsewhere.
 */
function stderrFormat(): StderrFormat {
  const launcher = findLauncher();
  const get = (name: string): string | undefined => (launcher ? textOf(launcher.environment, name) : process.env[name]);
  const descriptor = launcher?.logDescriptor ?? 2;
  const pid = launcher?.pid ?? process.pid;
  const stats = statsOf(descriptor);
  const dovecot = get('LOG_SERVICE') !== undefined || (get('USERDB_KEYS') !== undefined && stats?.isFIFO() === true);
  const journal = stats !== undefined && get('JOURNAL_STREAM') === `${stats.dev}:${stats.ino}`;
  return {
    descriptor,
    format(level, message) {
      if (dovecot) return dovecotLogLine(level, pid, message);
      return journal ? `<${JOURNAL_LEVEL[level]}>${message}\n` : `acl-groups: ${level}: ${message}\n`;
    },
  };
}

function statsOf(descriptor: number): ReturnType<typeof fstatSync> | undefined {
  try {
    return fstatSync(descriptor);
  } catch {
    return undefined;
  }
}
