import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Ca, makeCa } from './ca.js';

/** An object to add to the domain: attributes by name, the DN among them. */
export type SambaObject = Readonly<Record<string, string | readonly string[]>> & { readonly dn: string };

/** A domain controller that belongs to one test file. */
export interface Samba {
  readonly directory: string;
  readonly ca: Ca;
  /** Its own loopback address: the ports of a domain controller can't be chosen. */
  readonly address: string;
  readonly ldap: string;
  readonly ldaps: string;
  remove(): Promise<void>;
}

export const DOMAIN_DN = 'DC=ad,DC=test';
export const USERS_DN: string = `CN=Users,${DOMAIN_DN}`;
export const ADMINISTRATOR = 'administrator@ad.test';
export const PASSWORD = 'Secret-of-the-tests-1';

/** Makes a domain with these objects, and starts its controller with nothing but LDAP. */
export async function startSamba(objects: readonly SambaObject[]): Promise<Samba> {
  const directory = mkdtempSync(join(tmpdir(), 'acl-groups-samba-'));
  const address = `127.${randomInt(1, 255)}.${randomInt(256)}.${randomInt(1, 255)}`;
  const ca = makeCa(directory);
  const certificate = ca.issue('dc', ['DNS:dc.ad.test', `IP:${address}`]);
  const conf = join(directory, 'etc', 'smb.conf');
  const template = join(directory, 'smb.conf');
  writeFileSync(template, smbConf(directory, address, ca.file, certificate.cert, certificate.key));
  writeFileSync(join(directory, 'password'), `${PASSWORD}\n`, { mode: 0o600 });
  const provision = [
    'domain',
    'provision',
    '--realm=AD.TEST',
    '--domain=AD',
    '--server-role=dc',
    '--dns-backend=NONE',
    `--adminpass=${PASSWORD}`,
  ];
  run('samba-tool', [...provision, '--host-name=dc', `--host-ip=${address}`, `--targetdir=${directory}`, '-s', template]);
  copyFileSync(template, conf);
  // Samba refuses a key that others may read.
  execFileSync('chmod', ['600', certificate.key]);
  // Straight into the database and in one transaction: by LDAP it would take a minute.
  run('/usr/bin/python3', ['-c', LOADER, conf], JSON.stringify(objects));
  const child = spawn('samba', ['-i', '-s', conf], { stdio: 'ignore', detached: true });
  await started(child, address);
  return {
    directory,
    ca,
    address,
    ldap: `ldap://${address}`,
    ldaps: `ldaps://${address}`,
    async remove() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      // It is the leader of a process group of its own.
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      await ended;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function started(child: ChildProcess, address: string): Promise<void> {
  const accepted = (): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect(636, address, () => {
        socket.destroy();
        resolve(true);
      }).once('error', () => resolve(false));
    });
  while (!(await accepted())) {
    if (child.exitCode !== null) throw new Error(`samba ended with ${child.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function run(program: string, args: readonly string[], input = ''): void {
  execFileSync(program, args, { input, stdio: ['pipe', 'ignore', 'pipe'] });
}

function smbConf(directory: string, address: string, ca: string, cert: string, key: string): string {
  // With /8 Samba takes the address for one of loopback's, as the kernel does.
  return `[global]
netbios name = DC
realm = AD.TEST
workgroup = AD
server role = active directory domain controller
server services = ldap
interfaces = ${address}/8
bind interfaces only = yes
private dir = ${directory}/private
lock directory = ${directory}
state directory = ${directory}/state
cache directory = ${directory}/cache
binddns dir = ${directory}/bind-dns
pid directory = ${directory}
ncalrpc dir = ${directory}/ncalrpc
log file = ${directory}/log
tls certfile = ${cert}
tls keyfile = ${key}
tls cafile = ${ca}
`;
}

const LOADER = `
import json, sys
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB
lp = LoadParm()
lp.load(sys.argv[1])
db = SamDB(session_info=system_session(), lp=lp)
db.transaction_start()
for entry in json.load(sys.stdin):
    if "modify" in entry:
        db.modify_ldif(entry["modify"])
    else:
        db.add(entry)
db.transaction_commit()
`;
