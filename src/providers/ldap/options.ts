import { type OptionTable, option } from '../../config/options.js';
import { duration, flag, integer, oneOf, text, texts } from '../../config/schema.js';
import { PRESET_NAMES, type PresetName, type Strategy } from './presets.js';

/** The keys of `[provider.ldap]`. Relative paths start from the directory of the configuration file. */
export interface LdapOptions {
  /** The kind of directory: sets the filters, the name attribute and the strategy, each of which may be overridden. Default "rfc2307bis". */
  readonly preset: PresetName;
  /** The servers, in the order to try them: ldap://, ldaps://, ldapi://%2Fpath%2Fof%2Fsocket, or srv:DOMAIN for DNS SRV records. Needed. */
  readonly uris: readonly string[];
  /** Whether ldap:// and srv: servers must switch to TLS first (ldaps:// has it already, ldapi:// doesn't need it). Default true. */
  readonly starttls: boolean;
  /** PEM file of the certificates that servers are verified by. Default: the list that Node.js comes with. */
  readonly tls_ca_file: string;
  /** PEM file of the client's certificate. Default: none. */
  readonly tls_cert_file: string;
  /** PEM file of the client certificate's private key. Default: none. */
  readonly tls_key_file: string;
  /** The oldest TLS to accept. Default "TLSv1.2". */
  readonly tls_min_version: 'TLSv1.2' | 'TLSv1.3';
  /** The DN to bind as. Default: none, which binds anonymously. */
  readonly bind_dn: string;
  /** File of the password for bind_dn, readable by its owner only; read for each bind. Default: none. */
  readonly bind_password_file: string;
  /** "EXTERNAL": be who the socket's peer credentials (ldapi) or the client certificate say. Default "": a simple bind. */
  readonly sasl_mechanism: '' | 'EXTERNAL';
  /** Milliseconds for TCP, TLS and bind at one server. Default 2 s. */
  readonly connect_timeout: number;
  /** Milliseconds for the answer to one search. The `timeout` of the whole answer holds as well. Default 3 s. */
  readonly timeout: number;
  /** The DN that users are below; {user} {local} {domain} are the whole name, and what is before and behind its @. Needed. */
  readonly user_base: string;
  /** The filter that finds a user, with {user} {local} {domain}. Default: the preset's. */
  readonly user_filter: string;
  /** The attribute of a user's entry that {uid} in group_filter stands for. Default: the preset's. */
  readonly user_id_attribute: string;
  /** The DN that groups are below: groups elsewhere are ignored. Needed. */
  readonly group_base: string;
  /** With "search": the filter that finds the groups of a member, with {dn} {uid}. Otherwise: which entries are groups. Default: the preset's. */
  readonly group_filter: string;
  /** The attribute that holds a group's name. Default: the preset's, "sAMAccountName" for "ad" and "cn" for the others. */
  readonly group_name_attribute: string;
  /** How groups are found: by searching for members, by the user's memberOf, or by Active Directory's tokenGroups. Default: the preset's. */
  readonly group_strategy: 'preset' | Strategy;
  /** How many levels of groups in groups are followed; 0: direct groups only. tokenGroups, and memberOf where it is transitive, always have all levels. Default 10. */
  readonly nesting_level: number;
  /** Whether the user's primary group counts. Default true. */
  readonly primary_group: boolean;
  /** Active Directory: whether groups that are no security groups count. "token_groups" never has them. Default false. */
  readonly distribution_groups: boolean;
  /** Put before each group's name, to keep groups of the directory apart from others of the same name. Default "". */
  readonly prefix: string;
  /** The most groups that a user may be in; more is an error. Default 1000. */
  readonly max_groups: number;
}

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
  nesting_level: option(integer(10, 0, 100), 'levels of groups in groups to follow; 0: direct groups only; "token_groups" always has all'),
  primary_group: option(flag(true), "whether the user's primary group counts"),
  distribution_groups: option(flag(false), 'Active Directory: whether groups that are no security groups count; not with "token_groups"'),
  prefix: option(text(), "put before each group's name, to keep these groups apart from others of the same name"),
  max_groups: option(integer(1000, 1, 100_000), 'groups of one user at most; more is an error'),
};
