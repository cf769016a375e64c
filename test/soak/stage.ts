/** All that a soak is played on: a world with its accounts, a directory behind a gate, the service, its configuration. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Version } from '../adversary/dovecot.js';
import type { Rules } from '../adversary/model.js';
import { type Ca, type Certificate, makeCa } from '../support/ca.js';
import { GROUPS, PEOPLE } from '../support/ldap-content.js';
import { PROJECT } from '../support/project.js';
import { READER_DN, type Slapd, startSlapd } from '../support/slapd.js';
import type { World } from '../support/world.js';
import { drawDirectory } from './directory-source.js';
import type { Draw } from './draw.js';
import { fileSource, unixSource } from './file-sources.js';
import { type Gate, openGate } from './gate.js';
import { type Service, startService } from './service.js';
import type { Source } from './sources.js';
import { type Timeline, timelineOf } from './timeline.js';
import { createWeather, type Weather } from './weather.js';

export interface Stage {
  readonly world: World;
  readonly command: string;
  readonly version: Version;
  readonly users: readonly string[];
  readonly sources: readonly Source[];
  readonly slapd: Slapd;
  readonly gate: Gate;
  readonly certificates: Certificates;
  readonly service: Service;
  readonly rules: Timeline<Rules>;
  readonly weather: Weather;
  /** The configuration's file. */
  readonly config: string;
  /** Writes the configuration that says some rules. */
  configure(rules: Rules): void;
  /** A file system with little room, by its path inside the world, and as it is reached from outside. */
  readonly small: { readonly inside: string; readonly outside: string };
  /** The file whose first letter says what the name service `acltest` does. */
  readonly nameService: string;
  /** libfaketime, where the world finds it. `undefined` where Debian's package faketime isn't installed. */
  readonly faketime: string | undefined;
  /** Processes of the world that are still there after its end. */
  close(): Promise<readonly string[]>;
}

/** The certificate that the server is started with, and what may be put there. */
export interface Certificates {
  readonly used: Certificate;
  readonly good: Certificate;
  readonly expired: Certificate;
}

/** Milliseconds. Long enough for a machine that has much else to do, and short enough to be reached by most faults. */
const LDAP_TIMEOUT = 1500;
const TIMES = { ttl: 500, staleTtl: 4000, timeout: 4000 };

/** The rules to begin with. */
const RULES: Rules = {
  onError: 'deny',
  onIncomplete: 'warn',
  userFormat: 'full',
  masterUser: 'user',
  version: '2.4',
  include: [],
  exclude: ['*editors'],
  rename: [['last', 'the last one']],
  add: ['everybody here'],
  lower: false,
  ...TIMES,
};

/** Other rules that a changed configuration brings. */
export const OTHER_RULES: readonly Rules[] = [RULES, { ...RULES, exclude: ['staff*', 'percent*'] }, { ...RULES, add: [], lower: true }];

/** The names of so many users. */
export function userNames(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `user${String(index).padStart(3, '0')}`);
}

/** Sets everything up; `users` are as many. Needs root, slapd, and a C compiler. */
export async function openStage(
  world: World,
  command: string,
  options: { readonly users: number; readonly version: Version; readonly draw: Draw },
): Promise<Stage> {
  const { draw, version } = options;
  const { directory, etc } = world;
  const users = userNames(options.users);
  const base = { passwd: readFileSync(join(etc, 'passwd'), 'utf8'), group: readFileSync(join(etc, 'group'), 'utf8') };
  const unix = unixSource(etc, base, users, draw);
  const certificates = makeCertificates(directory);
  const content = drawDirectory(users, draw);
  const slapd = await startSlapd({
    ldif: content.ldif,
    tls: { ca: certificates.ca, certificate: certificates.used },
    // So that the database can be made read-only while it runs.
    globalConfig: ['database config', 'rootdn "cn=config"', 'rootpw "config"'],
    quiet: true,
  });
  const gate = await openGate(slapd.port);
  // Who serves belongs to another world, which has /tmp in common with this one.
  const password = join(directory, 'ldap-password');
  copyFileSync(join(slapd.directory, 'password'), password);
  const small = join(directory, 'small');
  mkdirSync(small);
  const rules = timelineOf<Rules>({ ...RULES, version });
  const config = join(directory, 'soak.toml');
  const place = { gate: gate.port, ca: certificates.ca.file, password, groups: join(small, 'groups') };
  const write = (wanted: Rules): void => writeFileSync(config, configText(wanted, place), { mode: 0o600 });
  write(rules.latest);
  const library = makeNameService(directory);
  const service = await startService(world, command, config, {
    small,
    environment: { LD_LIBRARY_PATH: library, ACLTEST_STATE: join(directory, 'name-service') },
  }).catch(async (error: unknown) => {
    await gate.close();
    await slapd.remove();
    throw error;
  });
  const outside = `/proc/${service.supervisor}/root${small}`;
  mkdirSync(join(outside, 'cache'), { mode: 0o700 });
  const file = fileSource(join(outside, 'groups'), users, draw);
  return {
    world,
    command,
    version,
    users,
    sources: [unix, content.source(slapd), file],
    slapd,
    gate,
    certificates,
    service,
    rules,
    // As long as a lookup may last that a fault has reached, and its answer be on the way.
    weather: createWeather(TIMES.timeout + 500),
    config,
    configure: write,
    small: { inside: small, outside },
    nameService: join(directory, 'name-service'),
    faketime: copyFaketime(directory),
    async close() {
      const left = await service.close();
      await gate.close();
      await slapd.remove();
      return left;
    },
  };
}

/** Where the configuration's sources are. */
interface Place {
  readonly gate: number;
  readonly ca: string;
  readonly password: string;
  readonly groups: string;
}

/** The configuration that says the rules. */
function configText(rules: Rules, { gate, ca, password, groups }: Place): string {
  const list = (names: readonly string[]): string => JSON.stringify(names);
  return `providers = ["unix", "ldap", "file"]
on_error = "${rules.onError}"
timeout = "${rules.timeout}ms"
dovecot_version = "${rules.version}"

[groups]
exclude = ${list(rules.exclude)}
rename = { ${rules.rename.map(([from, to]) => `${JSON.stringify(from)} = ${JSON.stringify(to)}`).join(', ')} }
add = ${list(rules.add)}
case = "${rules.lower ? 'lower' : 'keep'}"

[cache]
ttl = "${rules.ttl}ms"
stale_ttl = "${rules.staleTtl}ms"

[provider.ldap]
uris = ["ldap://localhost:${gate}"]
tls_ca_file = "${ca}"
bind_dn = "${READER_DN}"
bind_password_file = "${password}"
connect_timeout = "${LDAP_TIMEOUT}ms"
timeout = "${LDAP_TIMEOUT}ms"
user_base = "${PEOPLE}"
group_base = "${GROUPS}"

[provider.file]
path = "${groups}"
`;
}

function makeCertificates(directory: string): Certificates & { readonly ca: Ca } {
  const ca = makeCa(directory);
  const good = ca.issue('good', ['DNS:localhost']);
  const expired = ca.issue('expired', ['DNS:localhost'], -1);
  const used = { cert: join(directory, 'server.pem'), key: join(directory, 'server.key') };
  useCertificate(used, good);
  return { ca, used, good, expired };
}

/** Puts a certificate where the server looks for its own when it is started. */
export function useCertificate(used: Certificate, certificate: Certificate): void {
  copyFileSync(certificate.cert, used.cert);
  copyFileSync(certificate.key, used.key);
}

/** Compiles the name service `acltest`; returns the directory that it is in. */
function makeNameService(directory: string): string {
  const library = join(directory, 'nss');
  mkdirSync(library);
  execFileSync('cc', ['-shared', '-fPIC', '-o', join(library, 'libnss_acltest.so.2'), join(PROJECT, 'test/support/name-service.c')]);
  return library;
}

const FAKETIME = '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1';

function copyFaketime(directory: string): string | undefined {
  const path = join(directory, 'libfaketime.so.1');
  try {
    copyFileSync(FAKETIME, path);
    return path;
  } catch {
    return undefined;
  }
}
