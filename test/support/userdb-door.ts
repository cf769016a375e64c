import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DovecotOptions } from './dovecot.js';
import { PROJECT } from './project.js';
import type { DovecotVersion } from './world.js';

/** A file of src/package/dovecot as an administrator would paste it, with the paths of a test's world. */
function snippet(name: string, directory: string, command: string): string {
  return readFileSync(join(PROJECT, 'src/package/dovecot', name), 'utf8')
    .replaceAll('/usr/bin/acl-groups', command)
    .replaceAll('/etc/dovecot/acl-groups-ldap.conf.ext', `${directory}/acl-groups-ldap.conf.ext`)
    .replaceAll('%2frun%2fdovecot%2facl-groups', `${directory.replaceAll('/', '%2f')}%2frun%2facl-groups`);
}

/** What makes a Dovecot ask the installed service by its userdb: the snippet of the package. `adapt` changes its text. */
export function userdbDoor(
  version: DovecotVersion,
  command: string,
  adapt: (text: string) => string = (text) => text,
): Pick<DovecotOptions, 'config' | 'prepare'> {
  return {
    config: (directory) => adapt(snippet(`userdb-${version}.conf`, directory, command)),
    prepare: async ({ directory }) => {
      const { writeFile } = await import('node:fs/promises');
      await writeFile(join(directory, 'acl-groups-ldap.conf.ext'), adapt(snippet('acl-groups-ldap.conf.ext', directory, command)));
    },
  };
}
