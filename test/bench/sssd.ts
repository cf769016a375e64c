import { execFile, spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { GROUPS, PEOPLE } from '../support/ldap-content.js';
import { PASSWORD, READER_DN, type Slapd } from '../support/slapd.js';

const run = promisify(execFile);

/** SSSD in front of a directory, asked as an administrator would: by getent(1), which takes a millisecond to start. */
export interface Sssd {
  /** Finds the groups of a user, by number. @throws Error for a user that SSSD doesn't know */
  groups(user: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts Debian's SSSD (packages sssd-ldap and libnss-sss) without systemd. `undefined` where it isn't installed, or is the machine's own:
 * its sockets and its cache have fixed places.
 */
export async function openSssd(slapd: Slapd): Promise<Sssd | undefined> {
  if (!existsSync('/usr/sbin/sssd') || !existsSync('/usr/libexec/sssd/sssd_nss') || existsSync('/etc/sssd/sssd.conf')) return undefined;
  const config = join(slapd.directory, 'sssd.conf');
  const lines = [
    '[sssd]',
    'services = nss',
    'domains = bench',
    '[domain/bench]',
    'id_provider = ldap',
    'auth_provider = none',
    'ldap_schema = rfc2307bis',
    `ldap_uri = ${slapd.ldap}`,
    `ldap_user_search_base = ${PEOPLE}`,
    `ldap_group_search_base = ${GROUPS}`,
    `ldap_default_bind_dn = ${READER_DN}`,
    `ldap_default_authtok = ${PASSWORD}`,
  ];
  writeFileSync(config, `${lines.join('\n')}\n`, { mode: 0o600 });
  const child = spawn('/usr/sbin/sssd', ['-i', '-c', config], { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const groups: Sssd['groups'] = async (user) => void (await run('getent', ['-s', 'sss', 'initgroups', user]));
  const close = async (): Promise<void> => {
    child.kill();
    await ended;
  };
  // It says nothing to nobody when it is ready.
  for (let tries = 0; child.exitCode === null; tries++) {
    const known = await run('getent', ['-s', 'sss', 'passwd', 'user17']).then(
      () => true,
      () => false,
    );
    if (known) return { groups, close };
    if (tries > 300) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await close();
  throw new Error('SSSD does not answer; run sssd -i -c FILE -d 3 with its configuration to see why');
}
