import { resolve } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import type { Filter } from 'ldapts';
import { ConfigError } from '../../support/errors.js';
import type { Credentials } from './client.js';
import { escapeDnValue } from './dn.js';
import { readPasswordFile, readTlsFiles, stampOf } from './files.js';
import { type FilterTemplate, parseFilter } from './filter.js';
import type { LdapOptions } from './options.js';
import { PRESETS, type Preset, type Strategy } from './presets.js';
import { type Location, parseUri } from './uri.js';

/** What the options come to: checked, with the preset's part filled in, filters and files read. */
export interface Plan {
  readonly locations: readonly Location[];
  readonly credentials: Credentials;
  /** Reads the files of certificates. */
  readonly tls: () => ConnectionOptions;
  /** Says by another text that a file of credentials has changed. */
  readonly stamp: () => string;
  readonly user: {
    /** The base for a user, which a name can't add to or get out of; `undefined` for one that lacks a part that the base needs. */
    readonly base: (placeholders: Readonly<Record<string, string>>) => string | undefined;
    /** Whether the base is the same for all users, so that its absence is an error rather than an unknown user. */
    readonly fixedBase: boolean;
    readonly filter: FilterTemplate;
    readonly uidAttribute: string;
    /** Active Directory: a user without a userPrincipalName of his own is account@domain. */
    readonly implicitPrincipal: FilterTemplate | undefined;
  };
  readonly strategy: Strategy;
  readonly group: {
    readonly base: string;
    readonly filter: FilterTemplate;
    /** A condition that every group has to meet as well. */
    readonly condition: Filter | undefined;
    readonly nameAttribute: string;
    readonly prefix: string;
  };
  readonly primary: Preset['primary'] | undefined;
  readonly nestingLevel: number;
  readonly maxGroups: number;
}

/** @throws ConfigError for options that are missing, contradict each other, or name files that can't be used */
export function makePlan(options: LdapOptions, directory: string): Plan {
  const preset: Preset = PRESETS[options.preset];
  const strategy = options.group_strategy === 'preset' ? preset.strategy : options.group_strategy;
  if (options.uris.length === 0) throw new ConfigError('uris: needed: the servers, such as ["ldaps://ldap.example.com"]');
  const locations = options.uris.map((uri) => parseUri(uri, options.starttls));
  const path = (file: string): string => (file === '' ? '' : resolve(directory, file));
  const [ca, cert, key, passwordFile] = [options.tls_ca_file, options.tls_cert_file, options.tls_key_file, options.bind_password_file].map(
    path,
  );
  const files = { ca: ca ?? '', cert: cert ?? '', key: key ?? '' };
  const tls = (): ConnectionOptions => readTlsFiles({ ...files, minVersion: options.tls_min_version });
  // Mistakes are to be found at start.
  if (files.ca + files.cert + files.key !== '') tls();
  return {
    locations,
    credentials: credentialsOf(options, locations, passwordFile ?? ''),
    tls,
    stamp: () => stampOf([passwordFile ?? '', files.cert, files.key]),
    user: userPart(options, preset),
    strategy,
    group: groupPart(options, preset, strategy),
    primary: options.primary_group ? preset.primary : undefined,
    nestingLevel: options.nesting_level,
    maxGroups: options.max_groups,
  };
}

function credentialsOf(options: LdapOptions, locations: readonly Location[], passwordFile: string): Credentials {
  const { bind_dn: dn, sasl_mechanism: mechanism } = options;
  if (mechanism === 'EXTERNAL') {
    if (dn !== '' || passwordFile !== '')
      throw new ConfigError('sasl_mechanism: EXTERNAL takes no bind_dn and no bind_password_file: leave them out');
    const bare = locations.find(
      (location) => location.kind !== 'unix' && (options.tls_cert_file === '' || plain(location, options.starttls)),
    );
    if (bare !== undefined) {
      throw new ConfigError(
        `sasl_mechanism: EXTERNAL over ${bare.uri} needs TLS with tls_cert_file and tls_key_file; over ldapi:// it needs neither`,
      );
    }
    return { kind: 'external' };
  }
  if ((dn === '') !== (passwordFile === '')) {
    const [given, missing] = dn === '' ? ['bind_password_file', 'bind_dn'] : ['bind_dn', 'bind_password_file'];
    throw new ConfigError(`${given} needs ${missing} too; leave out both to bind anonymously`);
  }
  if (dn === '') return { kind: 'anonymous' };
  readPasswordFile(passwordFile);
  return { kind: 'simple', dn, password: () => readPasswordFile(passwordFile) };
}

function plain(location: Location, starttls: boolean): boolean {
  return location.kind === 'tcp' ? location.tls === 'none' : location.kind === 'srv' && !starttls;
}

function userPart(options: LdapOptions, preset: Preset): Plan['user'] {
  if (options.user_base === '')
    throw new ConfigError('user_base: needed: the DN that users are below, such as "ou=people,dc=example,dc=com"');
  const names = ['user', 'local', 'domain'];
  const pieces = options.user_base.split(/(\{[^{}]*\})/);
  const needed = pieces.flatMap((piece, index) => (index % 2 === 1 ? [piece.slice(1, -1)] : []));
  const fill = (placeholders: Readonly<Record<string, string>>): string =>
    pieces.map((piece, index) => (index % 2 === 0 ? piece : escapeDnValue(placeholders[piece.slice(1, -1)] ?? ''))).join('');
  const unknown = needed.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new ConfigError(`user_base: unknown placeholder {${unknown}}; there are {user} {local} {domain}`);
  checkDn('user_base', fill({ user: 'u', local: 'l', domain: 'd' }));
  const base: Plan['user']['base'] = (placeholders) => (needed.some((name) => !placeholders[name]) ? undefined : fill(placeholders));
  const filter = parseFilter(options.user_filter || preset.userFilter, names, 'user_filter');
  if (filter.placeholders.size === 0 && needed.length === 0) {
    throw new ConfigError('user_filter: has none of {user} {local} {domain}: it would find the same entry for every user');
  }
  return {
    base,
    fixedBase: needed.length === 0,
    filter,
    uidAttribute: options.user_id_attribute || preset.uidAttribute,
    implicitPrincipal:
      options.preset === 'ad' && options.user_filter === '' ? parseFilter(preset.implicitUserFilter ?? '', names, '') : undefined,
  };
}

function groupPart(options: LdapOptions, preset: Preset, strategy: Strategy): Plan['group'] {
  const { group_base: base } = options;
  const nameAttribute = options.group_name_attribute || preset.nameAttribute;
  if (base === '') throw new ConfigError('group_base: needed: the DN that groups are below, such as "ou=groups,dc=example,dc=com"');
  checkDn('group_base', base);
  if (options.nesting_level === 0 && (strategy === 'token_groups' || (strategy === 'memberof' && preset.transitiveMemberOf))) {
    throw new ConfigError(
      `nesting_level: 0 is not possible with group_strategy "${strategy}": nested groups are always in it; use group_strategy = "search"`,
    );
  }
  if (options.distribution_groups && (preset.isSecurityGroup === undefined || strategy === 'token_groups')) {
    throw new ConfigError(
      'distribution_groups: needs preset = "ad" and group_strategy = "search" or "memberof": tokenGroups never has them',
    );
  }
  const search = strategy === 'search';
  const filter = parseFilter(
    options.group_filter || (search ? preset.groupFilter : preset.isGroup),
    search ? ['dn', 'uid'] : [],
    'group_filter',
  );
  if (search && filter.placeholders.size === 0) {
    throw new ConfigError('group_filter: has none of {dn} {uid}: it would find the same groups for every user');
  }
  if (!/^[A-Za-z][\w-]*(;[\w-]+)*$/.test(nameAttribute))
    throw new ConfigError(`group_name_attribute: "${nameAttribute}" is no attribute name`);
  const condition =
    preset.isSecurityGroup === undefined || options.distribution_groups ? undefined : parseFilter(preset.isSecurityGroup, [], '').fill({});
  return { base, filter, condition, nameAttribute, prefix: options.prefix };
}

/** What the server would say of a text that has nothing of a DN, said at start. */
function checkDn(option: string, dn: string): void {
  if (!/^\s*[A-Za-z0-9.-]+\s*=/.test(dn))
    throw new ConfigError(`${option}: "${dn}" is no DN; expected something like "ou=people,dc=example,dc=com"`);
}
