import { type OptionTable, option } from '../../config/options.js';
import { duration, flag, integer, oneOf, text, texts } from '../../config/schema.js';
import { PRESET_NAMES, type PresetName, type Strategy } from './presets.js';

/** The keys of `[provider.ldap]`, which {@link OPTIONS} describes. Relative paths start from the directory of the configuration file. */
export interface LdapOptions {
  readonly preset: PresetName;
  readonly uris: readonly string[];
  readonly starttls: boolean;
  readonly tls_ca_file: string;
  readonly tls_cert_file: string;
  readonly tls_key_file: string;
  readonly tls_min_version: 'TLSv1.2' | 'TLSv1.3';
  readonly bind_dn: string;
  readonly bind_password_file: string;
  readonly sasl_mechanism: '' | 'EXTERNAL';
  /** Milliseconds. */
  readonly connect_timeout: number;
  /** Milliseconds. */
  readonly timeout: number;
  readonly user_base: string;
  readonly user_filter: string;
  readonly user_id_attribute: string;
  readonly group_base: string;
  readonly group_filter: string;
  readonly group_name_attribute: string;
  readonly group_strategy: 'preset' | Strategy;
  readonly nesting_level: number;
  readonly primary_group: boolean;
  readonly distribution_groups: boolean;
  readonly prefix: string;
  readonly max_groups: number;
}

/** The most levels of groups in groups. As nesting_level it stands for all: what is deeper still is incomplete, and not cut off by choice. */
export const ALL_LEVELS = 100;

export const OPTIONS: OptionTable<LdapOptions> = {
  preset: option(
    oneOf(PRESET_NAMES, 'rfc2307bis'),
    'kind of directory: sets filters, name attribute and strategy, each of which may be overridden',
  ),
  uris: option(texts(), 'servers in the order to try them: ldap://, ldaps://, ldapi://%2Fpath%2Fof%2Fsocket, srv:DOMAIN', { needed: true }),
  starttls: option(flag(true), 'on ldap:// and srv: servers, TLS before anything else; false means plain text'),
  tls_ca_file: option(text(), 'PEM file of the certificates that servers are verified by; empty: those that Node.js comes with'),
  tls_cert_file: option(text(), "PEM file of the client's certificate"),
  tls_key_file: option(text(), "PEM file of the client certificate's key"),
  tls_min_version: option(oneOf(['TLSv1.2', 'TLSv1.3'], 'TLSv1.2'), 'oldest TLS to accept'),
  bind_dn: option(text(), 'DN to bind as; empty: anonymously'),
  bind_password_file: option(text(), 'file of the password for bind_dn, readable by its owner only; read for each bind'),
  sasl_mechanism: option(oneOf(['', 'EXTERNAL'], ''), '"EXTERNAL": over ldapi, or with a client certificate, instead of bind_dn'),
  connect_timeout: option(duration('2s'), 'duration for TCP, TLS and bind at one server'),
  timeout: option(duration('3s'), 'duration for the answer to one search'),
  user_base: option(text(), 'DN that users are below, with {user} {local} {domain}', { needed: true }),
  user_filter: option(text(), "filter that finds a user, with {user} {local} {domain}; empty: the preset's"),
  user_id_attribute: option(text(), "attribute of the user's entry that {uid} stands for; empty: the preset's"),
  group_base: option(text(), 'DN that groups are below; groups elsewhere are ignored', { needed: true }),
  group_filter: option(text(), '"search": finds the groups of {dn} or {uid}; else: which entries are groups; empty: the preset\'s'),
  group_name_attribute: option(text(), "attribute that holds a group's name; empty: the preset's (ad: sAMAccountName, else cn)"),
  group_strategy: option(oneOf(['preset', 'search', 'memberof', 'token_groups'], 'preset'), 'how groups are found'),
  nesting_level: option(
    integer(ALL_LEVELS, 0, ALL_LEVELS),
    'levels of groups in groups to follow; 0: direct groups only; 100: all, and deeper ones are incomplete; "token_groups" always has all',
  ),
  primary_group: option(flag(true), "whether the user's primary group counts"),
  distribution_groups: option(flag(false), 'Active Directory: whether groups that are no security groups count; not with "token_groups"'),
  prefix: option(text(), "put before each group's name, to keep these groups apart from others of the same name"),
  max_groups: option(integer(1000, 1, 100_000), 'groups of one user at most; more is an error'),
};
