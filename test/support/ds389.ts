import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'ldapts';
import { accepting, freePorts, PASSWORD } from './slapd.js';

/** A 389 Directory Server with FreeIPA's tree, which belongs to one test file. */
export interface Ds389 {
  readonly ldap: string;
  /** The password of ROOT and READER. */
  readonly passwordFile: string;
  /** Runs as the directory's manager. */
  manage(work: (client: Client) => Promise<void>): Promise<void>;
  remove(): Promise<void>;
}

export const SUFFIX = 'dc=ipa,dc=test';
export const USERS: string = `cn=users,cn=accounts,${SUFFIX}`;
export const GROUPS: string = `cn=groups,cn=accounts,${SUFFIX}`;
export const READER: string = `uid=reader,${SUFFIX}`;
const ROOT = 'cn=Directory Manager';

/** FreeIPA's classes of groups. */
const SCHEMA = `dn: cn=schema
objectClasses: ( 2.16.840.1.113730.3.8.4.1 NAME 'ipaUserGroup' SUP top AUXILIARY MAY description )
objectClasses: ( 2.16.840.1.113730.3.8.4.14 NAME 'nestedGroup' SUP groupOfNames STRUCTURAL MAY memberOf )
`;

/** Makes a server in a directory of its own with the content of `ldif`, memberOf included, and starts it: Debian's package would use /etc, /var and systemd. */
export async function startDs389(ldif: string): Promise<Ds389> {
  const directory = mkdtempSync(join(tmpdir(), 'acl-groups-ds389-'));
  const [port, tlsPort] = await freePorts();
  const at = (name: string): string => join(directory, name);
  const passwordFile = at('password');
  writeFileSync(passwordFile, PASSWORD, { mode: 0o600 });
  const places: Readonly<Record<string, string>> = {
    ...Object.fromEntries(
      ['config', 'lock', 'log', 'db', 'backup', 'ldif', 'run', 'inst', 'initconfig'].map((name) => [`${name}_dir`, at(name)]),
    ),
    ...Object.fromEntries(['access', 'audit', 'error', 'security'].map((name) => [`${name}_log`, at(`log/${name}`)])),
    schema_dir: at('config/schema'),
    cert_dir: at('config'),
    db_home_dir: at('home'),
    local_state_dir: at('var'),
    tmpfiles_d: at('tmpfiles'),
    ldapi: at('run/ldapi'),
    pid_file: at('run/pid'),
    user: 'root',
    group: 'root',
    with_systemd: '0',
  };
  for (const name of ['config', 'run', 'home', 'var', 'tmpfiles', 'initconfig']) mkdirSync(at(name));
  const defaults = readFileSync(DEFAULTS, 'utf8').replace(/^(\w+) = .*$/gm, (line, key: string) =>
    key in places ? `${key} = ${places[key]}` : line,
  );
  writeFileSync(at('defaults.inf'), defaults);
  writeFileSync(at('instance.inf'), instance(port, tlsPort));
  // The program reads its defaults from one place only.
  const create = 'mount --bind "$1/defaults.inf" "$2" && exec dscreate from-file "$1/instance.inf"';
  execFileSync('unshare', ['-m', 'sh', '-c', create, 'sh', directory, DEFAULTS], { stdio: ['ignore', 'ignore', 'pipe'] });
  writeFileSync(at('config/schema/99user.ldif'), SCHEMA);
  const dse = at('config/dse.ldif');
  writeFileSync(dse, withMemberOf(readFileSync(dse, 'utf8')));
  writeFileSync(at('content.ldif'), `${BASE}${ldif}`);
  const load = ['ldif2db', '-D', at('config'), '-n', 'userroot', '-i', at('content.ldif')];
  execFileSync('ns-slapd', load, { stdio: ['ignore', 'ignore', 'pipe'] });
  const child = spawn('ns-slapd', ['-D', at('config'), '-i', at('run/pid'), '-d', '0'], { stdio: 'ignore' });
  await Promise.race([
    accepting(port),
    ended(child).then(() => Promise.reject(new Error(`389-DS ended: ${readFileSync(at('log/error'), 'utf8')}`))),
  ]);
  const manage = async (work: (client: Client) => Promise<void>): Promise<void> => {
    const client = new Client({ url: `ldap://127.0.0.1:${port}` });
    await client.bind(ROOT, PASSWORD);
    try {
      await work(client);
    } finally {
      await client.unbind();
    }
  };
  return {
    ldap: `ldap://127.0.0.1:${port}`,
    passwordFile,
    manage,
    async remove() {
      const end = ended(child);
      child.kill('SIGKILL');
      await end;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const container = (name: string, above: string): string => `dn: cn=${name},${above}\nobjectClass: nsContainer\ncn: ${name}\n\n`;
const BASE = `dn: ${SUFFIX}
objectClass: domain
dc: ipa

${container('accounts', SUFFIX)}${container('users', `cn=accounts,${SUFFIX}`)}${container('groups', `cn=accounts,${SUFFIX}`)}dn: ${READER}
objectClass: inetOrgPerson
uid: reader
cn: x
sn: x
userPassword: ${PASSWORD}

`;

const DEFAULTS = '/usr/share/dirsrv/inf/defaults.inf';

function instance(port: number, tlsPort: number): string {
  return `[general]
full_machine_name = localhost
start = False
strict_host_checking = False
[slapd]
instance_name = test${port}
port = ${port}
secure_port = ${tlsPort}
self_sign_cert = False
root_password = ${PASSWORD}
[backend-userroot]
suffix = ${SUFFIX}
create_suffix_entry = True
sample_entries = no
`;
}

/** Turns the plugin on that keeps memberOf. */
function withMemberOf(dse: string): string {
  return dse.replace(/^dn: cn=MemberOf Plugin,[\s\S]*?\n\n/m, (entry) =>
    entry.replace('nsslapd-pluginEnabled: off', 'nsslapd-pluginEnabled: on'),
  );
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => child.once('exit', () => resolve()));
}
