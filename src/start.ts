import { join } from 'node:path';
import { createLoader } from './code-cache.js';

/** What the launcher starts. */
const { main } = createLoader().load(join(import.meta.dirname, 'program.cjs')) as typeof import('./main.js');

void main().then((status) => {
  process.exitCode = status;
});
