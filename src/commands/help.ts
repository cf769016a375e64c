import { EXIT } from '../support/errors.js';
import { formatHelp } from './usage.js';

/** A summary of commands and options. */
export async function help(): Promise<number> {
  process.stdout.write(formatHelp());
  return EXIT.ok;
}
