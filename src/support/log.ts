import { fstatSync, writeSync } from 'node:fs';
import { dovecotLogLine } from '../dovecot/log-format.js';
import { STDERR } from './stderr.js';
import { printable } from './text.js';

/** `error`: a login was lost or may have been. `warning`: somebody should look. `debug`: how an answer came about. */
export type LogLevel = 'debug' | 'info' | 'warning' | 'error';

/** Where diagnostics go. One call is one line, whatever the message holds. */
export interface Logger extends Readonly<Record<Exclude<LogLevel, 'debug'>, (message: string) => void>> {
  /** A function is called only where somebody reads such messages. */
  debug(message: string | (() => string)): void;
}

/** Makes a logger out of a function that takes finished messages, control characters already made visible. */
export function createLogger(
  write: (level: LogLevel, message: string) => void,
  { debug }: { readonly debug: boolean } = { debug: true },
): Logger {
  const at = (level: LogLevel) => (message: string) => write(level, printable(message));
  return {
    debug(message) {
      if (debug) write('debug', printable(typeof message === 'string' ? message : message()));
    },
    info: at('info'),
    warning: at('warning'),
    error: at('error'),
  };
}

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
