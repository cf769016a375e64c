import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import { type Installed, installPackage } from './installed.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** The package, installed in the world of each Dovecot version. */
    readonly installed: Installed;
  }
}

/** What all suites with real servers share: made before the first one, removed after the last. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await promisify(execFile)('npm', ['run', '--silent', 'build']);
  const { package: installed, remove } = await installPackage();
  project.provide('installed', installed);
  return remove;
}
