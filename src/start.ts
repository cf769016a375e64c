import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { createLoader } from './code-cache.js';
import { EXIT } from './support/errors.js';
import { STDERR } from './support/stderr.js';

/** Debian 12's own Node.js is 18. Said here, because what comes next may not even compile there. */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  const told = `acl-groups: error: ${process.execPath} is Node.js ${process.versions.node}; install Node.js 20.19 or newer\n`;
  writeSync(STDERR, told);
  process.exit(EXIT.unavailable);
}

/** What the launcher starts. */
const { main } = createLoader().load(join(import.meta.dirname, 'program.cjs')) as typeof import('./main.js');

void main().then((status) => {
  process.exitCode = status;
});
