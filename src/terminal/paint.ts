import type { WriteStream } from 'node:tty';
import { type Paint, PLAIN } from './table.js';

/** Colours for a stream that is a terminal and has them. NO_COLOR and FORCE_COLOR are heeded (tty.WriteStream.getColorDepth). */
export async function paintFor(stream: NodeJS.WriteStream | WriteStream): Promise<Paint> {
  if (!('hasColors' in stream) || stream.isTTY !== true || !stream.hasColors()) return PLAIN;
  const { styleText } = await import('node:util');
  return styleText;
}

/** How many columns a stream's terminal has; `undefined` for no terminal, and for one that doesn't know (a serial line, script(1)) and says 0. */
export function terminalWidth({ columns }: Partial<Pick<WriteStream, 'columns'>>): number | undefined {
  return columns || undefined;
}
