import manifest from '../../package.json' with { type: 'json' };
import { EXIT } from '../support/errors.js';

/** The version of acl-groups. */
export async function version(): Promise<number> {
  process.stdout.write(`acl-groups ${manifest.version}\n`);
  return EXIT.ok;
}
