import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The path of a program of ours that runs in a thread or process of its own: seen from the built program, whose parts lie beside it or one
 * folder below, and from a source file, for tests, which use what was built last.
 * @throws Error for an installation without it
 */
export function builtFile(name: string, seenFrom: string): string {
  for (let folder = dirname(fileURLToPath(seenFrom)), above = dirname(folder); folder !== above; folder = above, above = dirname(above)) {
    const found = [join(folder, name), join(folder, 'dist', name)].find((path) => existsSync(path));
    if (found !== undefined) return found;
  }
  throw new Error(`${name} is missing from the installation; install acl-groups again`);
}
