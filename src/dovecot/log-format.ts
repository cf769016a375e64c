/** The level bytes of Dovecot's log protocol (lib/failures.h, enum log_type, plus one). */
const LEVEL_BYTE = { debug: 1, info: 2, warning: 3, error: 4 } as const;

/**
 * One line for Dovecot's log process: `\001`, a level byte, the process id, a space, the message. A line without this
 * start is logged as an error.
 */
export function dovecotLogLine(level: keyof typeof LEVEL_BYTE, pid: number, message: string): string {
  return `\u0001${String.fromCharCode(LEVEL_BYTE[level])}${pid} ${message}\n`;
}
