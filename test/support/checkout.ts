import { copyFileSync, cpSync, mkdirSync, mkdtempSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { build, type RolldownOptions } from 'rolldown';
import { PROJECT } from './project.js';

/** A directory laid out as `npm install --global --prefix` does, with the program of this checkout: `bin/acl-groups` is the command. */
export async function layOutCheckout(): Promise<string> {
  const prefix = mkdtempSync('/tmp/acl-groups-');
  const directory = join(prefix, 'lib/node_modules/acl-groups');
  mkdirSync(join(directory, 'native-free'), { recursive: true });
  mkdirSync(join(prefix, 'bin'));
  copyFileSync(join(PROJECT, 'native-free/acl-groups'), join(directory, 'native-free/acl-groups'));
  cpSync(join(PROJECT, 'package.json'), join(directory, 'package.json'));
  symlinkSync('../lib/node_modules/acl-groups/native-free/acl-groups', join(prefix, 'bin/acl-groups'));
  const configuration: unknown = await import(new URL('../../src/package/build/rolldown.config.mjs', import.meta.url).href);
  for (const part of (configuration as { readonly default: readonly RolldownOptions[] }).default) {
    await build({ ...part, cwd: PROJECT, logLevel: 'silent', output: { ...part.output, dir: join(directory, 'dist') } });
  }
  return prefix;
}
