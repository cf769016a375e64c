import { resolve } from 'node:path';
import type { Filter } from 'ldapts';
import type { Credentials } from '../../ldap/client.js';
import { escapeDnValue } from '../../ldap/dn.js';
import { type FilterTemplate, parseFilter } from '../../ldap/filter.js';
import type { ServersSettings } from '../../ldap/servers.js';
import { readTlsFiles } from '../../ldap/tls.js';
import { type Location, parseUri } from '../../ldap/uri.js';
import { ConfigError } from '../../support/errors.js';
import { readPasswordFile, stampOf } from '../../support/secret-file.js';
import type { LdapOptions } from './options.js';
import { PRESETS, type Preset, type Strategy } from './presets.js';

/** What the options come to: checked, with the preset's part filled in, filters and files read. */
export interface Plan extends ServersSettings {
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
    /** What tells groups from others, and every entry that may be one has. */
    readonly kindAttributes: readonly string[];
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
  const [ca, cert, key] = [path(options.tls_ca_file), path(options.tls_cert_file), path(options.tls_key_file)];
  const passwordFile = path(options.bind_password_file);
  const tls: Plan['tls'] = () => readTlsFiles({ ca, cert, key, minVersion: options.tls_min_version });
  // Mistakes are to be found at start.
  if (ca + cert + key !== '') tls();
  return {
    locations,
    starttls: options.starttls,
    credentials: credentialsOf(options, locations, passwordFile),
    tls,
    stamp: () => stampOf([passwordFile, cert, key].filter((file) => file !== '')),
    connectTimeout: options.connect_timeout,
    searchTimeout: options.timeout,
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
    const isPlain = (location: Location): boolean =>
      location.kind === 'tcp' ? location.tls === 'none' : location.kind === 'srv' && !options.starttls;
    const bare = locations.find((location) => location.kind !== 'unix' && (options.tls_cert_file === '' || isPlain(location)));
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

function userPart(options: LdapOptions, preset: Preset): Plan['user'] {
  if (options.user_base === '')
    throw new ConfigError('user_base: needed: the DN that users are below, such as "ou=people,dc=example,dc=com"');
  const names = ['user', 'local', 'domain'];
  const needed = [...options.user_base.matchAll(/\{([^{}]*)\}/g)].map(([, name = '']) => name);
  const fill = (values: Readonly<Record<string, string>>): string =>
    options.user_base.replace(/\{([^{}]*)\}/g, (_, name: string) => escapeDnValue(values[name] ?? ''));
  const unknown = needed.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new ConfigError(`user_base: unknown placeholder {${unknown}}; there are {user} {local} {domain}`);
  checkDn('user_base', fill({ user: 'u', local: 'l', domain: 'd' }));
  const filter = parseFilter(options.user_filter || preset.userFilter, names, 'user_filter');
  if (filter.placeholders.size === 0 && needed.length === 0) {
    throw new ConfigError('user_filter: has none of {user} {local} {domain}: it would find the same entry for every user');
  }
  const implicit = options.user_filter === '' ? preset.implicitUserFilter : undefined;
  return {
    base: (values) => (needed.some((name) => !values[name]) ? undefined : fill(values)),
    fixedBase: needed.length === 0,
    filter,
    uidAttribute: options.user_id_attribute || preset.uidAttribute,
    implicitPrincipal: implicit === undefined ? undefined : parseFilter(implicit, names, ''),
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
  const isSearch = strategy === 'search';
  const source = options.group_filter || (isSearch ? preset.groupFilter : preset.isGroup);
  const filter = parseFilter(source, isSearch ? ['dn', 'uid'] : [], 'group_filter');
  if (isSearch && filter.placeholders.size === 0) {
    throw new ConfigError('group_filter: has none of {dn} {uid}: it would find the same groups for every user');
  }
  if (!/^[A-Za-z][\w-]*(;[\w-]+)*$/.test(nameAttribute))
    throw new ConfigError(`group_name_attribute: "${nameAttribute}" is no attribute name`);
  const isSecurity =
    options.distribution_groups || preset.isSecurityGroup === undefined ? undefined : parseFilter(preset.isSecurityGroup, [], '');
  const condition = isSecurity?.fill({});
  const kindAttributes = ['objectClass', ...(condition === undefined ? [] : ['groupType'])];
  return { base, filter, condition, kindAttributes, nameAttribute, prefix: options.prefix };
}

/** What the server would say of a text that has nothing of a DN, said at start. */
function checkDn(option: string, dn: string): void {
  if (!/^\s*[A-Za-z0-9.-]+\s*=/.test(dn))
    throw new ConfigError(`${option}: "${dn}" is no DN; expected something like "ou=people,dc=example,dc=com"`);
}
