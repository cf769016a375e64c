import manifest from '../../package.json' with { type: 'json' };
import { EXIT } from '../support/errors.js';
import { formatHelp } from './usage.js';

/** A summary of commands and options. */
export async function help(): Promise<number> {
  process.stdout.write(formatHelp());
  return EXIT.ok;
}

/** The version of acl-groups. */
export async function version(): Promise<number> {
  process.stdout.write(`acl-groups ${manifest.version}\n`);
  return EXIT.ok;
}
