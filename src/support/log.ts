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
