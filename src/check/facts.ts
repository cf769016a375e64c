import { type Block, blocksOf, listSetting, parseDoveconf, releaseIn, setting, sizeOf } from '../dovecot/doveconf.js';
import type { DovecotVersion } from '../dovecot/notation.js';
import { versionOf } from '../dovecot/version.js';

/** What the checks know of a Dovecot: doveconf's output, read for what matters here. Pure; doveconf.ts runs the programs. */
export interface DovecotFacts {
  readonly version: DovecotVersion;
  /** In full: `2.4.1-4`. */
  readonly release: string;
  /** The configuration file. */
  readonly file: string;
  readonly root: Block;
  readonly baseDir: string;
  /** `default_internal_user`, whom the auth process runs as. */
  readonly internalUser: string;
  readonly protocols: readonly string[];
  /** Bytes; 0 is off. */
  readonly authCacheSize: number;
  readonly userdbs: readonly Userdb[];
  readonly services: readonly Service[];
  /** The service that runs `acl-groups serve`. */
  readonly own: Service | undefined;
  readonly doors: Doors;
}

/** A userdb block, in order. */
export interface Userdb {
  /** What stands behind `userdb` in 2.4; the driver in 2.3, where blocks have no names. */
  readonly name: string;
  readonly driver: string;
  readonly skip: string;
  readonly resultSuccess: string;
  readonly resultInternalfail: string;
  /** Where it is said what a user gets, by field: 2.4's `fields`, 2.3's `default_fields` and `override_fields`. */
  readonly fields: ReadonlyMap<string, string>;
  /** Set for the userdb that asks acl-groups. */
  readonly door: UserdbDoor | undefined;
}

/** The settings of the userdb that asks acl-groups. */
export interface UserdbDoor {
  /** The file beside dovecot.conf that has the settings, which 2.3 needs. */
  readonly file: string | undefined;
  /** Whether that file could be read. */
  readonly readable: boolean;
  readonly uris: string;
  readonly base: string;
  readonly filter: string;
  /** What `acl_groups` is made of: 2.4's field, 2.3's user_attrs. */
  readonly groups: string;
  readonly iterateFilter: string;
  /** What users are listed by: 2.4's iterate field `user`, 2.3's iterate_attrs. */
  readonly iterateUser: string;
}

export interface Service {
  readonly name: string;
  readonly executable: readonly string[];
  /** With variables replaced; empty is root. */
  readonly user: string;
  readonly group: string;
  readonly extraGroups: readonly string[];
  readonly dropsPrivileges: boolean;
  /** Bytes of address space. */
  readonly vszLimit: number;
  readonly listeners: readonly Listener[];
}

export interface Listener {
  /** As dovecot.conf has it. */
  readonly name: string;
  /** In full. */
  readonly path: string;
  readonly user: string;
  readonly group: string;
  readonly mode: number;
}

/** Which doors are open. */
export interface Doors {
  readonly userdb: (Userdb & { readonly door: UserdbDoor }) | undefined;
  /** The protocols whose processes ask the service after a login, with its socket. */
  readonly postLogin: ReadonlyMap<string, string>;
  /** The protocols whose logins go through script-login with acl-groups as its argument, with that service. */
  readonly scriptLogin: ReadonlyMap<string, Service>;
}

/** Reads a file of settings that dovecot.conf only names, as 2.3's LDAP settings: by name; `undefined` for one that can't be read. */
export type ReadSettings = (path: string) => ReadonlyMap<string, string> | undefined;

/** The settings whose defaults matter, which 2.4 doesn't print unless it is asked for them by name. */
export const ASKED_BY_NAME: readonly string[] = ['base_dir', 'default_internal_user', 'default_vsz_limit', 'protocols', 'auth_cache_size'];

const LOGIN_PROTOCOLS = ['imap', 'pop3'] as const;
export const OWN_BASE = 'dc=acl-groups';

/**
 * The facts in what doveconf printed: `all`, and `named` for {@link ASKED_BY_NAME}.
 * @throws Error for a Dovecot before 2.3, or a text that isn't doveconf's
 */
export function factsOf(all: string, named: string, file: string, readSettings: ReadSettings): DovecotFacts {
  const release = releaseIn(all);
  const version = release === undefined ? undefined : versionOf(release);
  if (release === undefined || version === undefined)
    throw new Error(`Dovecot ${release ?? 'of an unknown version'}: 2.3 or newer is needed`);
  const root = parseDoveconf(all);
  const defaults = parseDoveconf(named);
  const known = (name: string): string | undefined => setting(root, name) ?? setting(defaults, name);
  const baseDir = known('base_dir') ?? '/run/dovecot';
  const internalUser = known('default_internal_user') ?? 'dovecot';
  const world: World = { baseDir, internalUser, vszLimit: sizeOf(known('default_vsz_limit')) ?? 256 * 1024 ** 2 };
  const services = blocksOf(root, 'service').map((block) => serviceOf(block, world));
  const userdbs = blocksOf(root, 'userdb').map((block) => userdbOf(block, root, version, readSettings));
  const own = services.find(({ executable }) => isOwn(executable[0]) && executable.includes('serve'));
  return {
    ...{ version, release, file, root, baseDir, internalUser, services, userdbs, own },
    protocols: listSetting(root, 'protocols') ?? listSetting(defaults, 'protocols') ?? [],
    authCacheSize: sizeOf(known('auth_cache_size')) ?? 0,
    doors: doorsOf(userdbs, services, own, baseDir),
  };
}

interface World {
  readonly baseDir: string;
  readonly internalUser: string;
  readonly vszLimit: number;
}

function serviceOf(block: Block, { baseDir, internalUser, vszLimit }: World): Service {
  const name = (key: string, from = block): string => {
    const value = setting(from, key) ?? '';
    return value === '$default_internal_user' || value === '$SET:default_internal_user' ? internalUser : value;
  };
  return {
    name: block.label,
    executable: (setting(block, 'executable') ?? block.label).split(' ').filter((word) => word !== ''),
    user: name('user'),
    group: name('group'),
    extraGroups: listSetting(block, 'extra_groups') ?? [],
    dropsPrivileges: setting(block, 'drop_priv_before_exec') === 'yes',
    vszLimit: noLimit(sizeOf(setting(block, 'vsz_limit')) ?? vszLimit),
    listeners: blocksOf(block, 'unix_listener').map((listener) => {
      const given = setting(listener, 'path') ?? listener.label;
      return {
        name: listener.label,
        path: given.startsWith('/') ? given : `${baseDir}/${given}`,
        user: name('user', listener),
        group: name('group', listener),
        mode: Number.parseInt(setting(listener, 'mode') ?? '0600', 8),
      };
    }),
  };
}

/** 2.3 writes "no limit" as 0. */
function noLimit(bytes: number): number {
  return bytes === 0 ? Number.POSITIVE_INFINITY : bytes;
}

function isOwn(program: string | undefined): boolean {
  return program !== undefined && /(^|\/)acl-groups$/.test(program);
}

function userdbOf(block: Block, root: Block, version: DovecotVersion, readSettings: ReadSettings): Userdb {
  const driver = setting(block, 'driver') || block.label;
  return {
    name: block.label || driver,
    driver,
    skip: setting(block, 'skip') ?? 'never',
    resultSuccess: setting(block, 'result_success') ?? 'return-ok',
    resultInternalfail: setting(block, 'result_internalfail') ?? 'continue',
    fields: version === '2.3' ? fields23(block) : new Map(blocksOf(block, 'fields').flatMap(({ values }) => [...values])),
    door: driver !== 'ldap' ? undefined : version === '2.3' ? door23(block, readSettings) : door24(block, root),
  };
}

/** `key=value key=value` of the three settings that 2.3 has for them. */
function fields23(block: Block): ReadonlyMap<string, string> {
  const driver = setting(block, 'driver');
  const texts = ['default_fields', 'override_fields', ...(driver === 'static' ? ['args'] : [])].map((name) => setting(block, name) ?? '');
  return new Map(texts.flatMap((text) => [...text.matchAll(/(\S+?)=(\S*)/g)].map(([, key = '', value = '']) => [key, value] as const)));
}

function door23(block: Block, readSettings: ReadSettings): UserdbDoor | undefined {
  const file = setting(block, 'args') ?? '';
  const settings = readSettings(file);
  const get = (name: string): string => settings?.get(name) ?? '';
  const door: UserdbDoor = {
    ...{
      file,
      readable: settings !== undefined,
      uris: get('uris'),
      base: get('base'),
      filter: get('user_filter'),
      groups: get('user_attrs'),
    },
    ...{ iterateFilter: get('iterate_filter'), iterateUser: get('iterate_attrs') },
  };
  return asksUs(door) || (settings === undefined && file.includes('acl-groups')) ? door : undefined;
}

function door24(block: Block, root: Block): UserdbDoor | undefined {
  // LDAP settings may stand in the block, or at the top for all blocks.
  const get = (name: string): string => setting(block, name) ?? setting(root, name) ?? '';
  const within = (name: string, field: string): string =>
    blocksOf(block, name)
      .map(({ values }) => values.get(field) ?? '')
      .join('');
  const door: UserdbDoor = {
    ...{ file: undefined, readable: true, uris: get('ldap_uris'), base: get('ldap_base'), filter: get('userdb_ldap_filter') },
    ...{ groups: within('fields', 'acl_groups'), iterateFilter: get('userdb_ldap_iterate_filter') },
    iterateUser: within('userdb_ldap_iterate_fields', 'user'),
  };
  return asksUs(door) || block.label === 'acl-groups' ? door : undefined;
}

/** Any of these is enough: the others may be what is wrong. */
function asksUs({ uris, base, groups }: UserdbDoor): boolean {
  return base === OWN_BASE || /acl-groups$/.test(uris) || /aclGroups/i.test(groups);
}

function doorsOf(userdbs: readonly Userdb[], services: readonly Service[], own: Service | undefined, baseDir: string): Doors {
  const postLogin = new Map<string, string>();
  const scriptLogin = new Map<string, Service>();
  for (const protocol of LOGIN_PROTOCOLS) {
    const word = services
      .find(({ name }) => name === protocol)
      ?.executable.slice(1)
      .find((argument) => !argument.startsWith('-'));
    if (word === undefined) continue;
    const path = word.startsWith('/') ? word : `${baseDir}/${word}`;
    const serving = services.find(({ listeners }) => listeners.some((listener) => listener.path === path));
    // systemd's socket isn't in dovecot.conf.
    if (serving === own ? own !== undefined : serving === undefined && /\/acl-groups[^/]*$/.test(path)) postLogin.set(protocol, path);
    else if (serving?.executable[0] === 'script-login' && serving.executable.some(isOwn)) scriptLogin.set(protocol, serving);
  }
  const found = userdbs.find(({ door }) => door !== undefined);
  const userdb = found?.door === undefined ? undefined : { ...found, door: found.door };
  return { userdb, postLogin, scriptLogin };
}

/** The socket that an LDAP URI of Dovecot's leads to; `undefined` for one that leads elsewhere. */
export function socketOfUri(uri: string): string | undefined {
  const [, path] = /^ldapi:\/\/([^/?\s]+)/i.exec(uri) ?? [];
  try {
    return path === undefined ? undefined : decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

/** Such a URI for a socket. */
export function uriOfSocket(path: string): string {
  return `ldapi://${encodeURIComponent(path).replaceAll('%2F', '%2f')}`;
}
