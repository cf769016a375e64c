import { join } from 'node:path';
import { createLoader } from './code-cache.js';

/** What npm runs once it has installed the package: goes through exec mode, and keeps the compiled code. All works without, too. */
async function install(): Promise<void> {
  const loader = createLoader({ anew: true });
  const { rehearse } = loader.load(join(import.meta.dirname, 'program.cjs')) as typeof import('./main.js');
  await rehearse();
  loader.store();
}

void install().catch((error: unknown) => {
  process.stderr.write(`acl-groups: no compiled code could be kept, so that each login by exec mode takes 5 ms longer: ${error}\n`);
});
