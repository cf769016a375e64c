import { masterUserBlocks, type Userdb, userdbBlocks } from './dovecot-userdbs.js';
import type { DovecotVersion } from './world.js';

/** What Dovecot serves. "sieve" is ManageSieve; LMTP comes with the Sieve plugin. */
export type Protocol = 'imap' | 'pop3' | 'lmtp' | 'sieve';

/** The port of each protocol. Each Dovecot has an address of its own. */
export const PORTS: Readonly<Record<Protocol, number>> = { imap: 1143, pop3: 1110, lmtp: 1124, sieve: 1419 };

/** What a generated dovecot.conf depends on. */
export interface DovecotConfigOptions {
  readonly version: DovecotVersion;
  readonly directory: string;
  readonly host: string;
  readonly protocols: readonly Protocol[];
  readonly userdbs: readonly Userdb[];
  /** The passdb's blocks, in that version's syntax; one that takes `secret` for everybody unless given. */
  readonly passdb?: string | undefined;
  readonly masterUsers?: readonly string[] | undefined;
  /** Whether the auth process keeps answers. */
  readonly authCache?: boolean | undefined;
  /** The Sieve script of everybody who has none: a file's path. */
  readonly sieveScript?: string | undefined;
  /** What script-login runs, for IMAP and POP3: the documentation's service block around it. */
  readonly postLogin?: string | undefined;
  /** Replaces the mail processes' second word: the socket of a resident post-login service. */
  readonly postLoginSocket?: string | undefined;
  /** Without it, ACLs aren't logged: for benchmarks. */
  readonly debug: boolean;
  /** Added at the end. */
  readonly config: string;
}

/** The spelling of dovecot.conf that differs between versions. */
export const SPELLING: Readonly<Record<DovecotVersion, { readonly internalUser: string; readonly noLimit: string }>> = {
  '2.3': { internalUser: '$default_internal_user', noLimit: '0' },
  '2.4': { internalUser: '$SET:default_internal_user', noLimit: 'unlimited' },
};

/** The documentation's service blocks for a post-login script of IMAP and POP3, with a chain of programs as script-login's arguments. */
export function scriptLoginBlocks(version: DovecotVersion, chain: string): string {
  return ['imap', 'pop3']
    .map(
      (protocol) => `
service ${protocol} {
  # tell ${protocol} to do post-login lookup using a socket called "${protocol}-postlogin"
  executable = ${protocol} ${protocol}-postlogin
}

# The service name below doesn't actually matter.
service ${protocol}-postlogin {
  # all post-login scripts are executed via script-login binary
  executable = script-login ${chain}

  # the script process runs as the user specified here:
  user = ${SPELLING[version].internalUser}
  # this UNIX socket listener must use the same name as given to ${protocol} executable
  unix_listener ${protocol}-postlogin {
  }
}
`,
    )
    .join('');
}

/** A whole dovecot.conf, maildirs in the users' home directories, the ACL plugin on, every password `secret`. */
export function dovecotConfig(options: DovecotConfigOptions): string {
  const { version, directory, protocols, userdbs, postLogin, postLoginSocket, config } = options;
  return [
    version === '2.3' ? head23(options) : head24(options),
    options.masterUsers === undefined ? '' : masterUserBlocks(version, directory, options.masterUsers),
    // Prefetch has a passdb, which is to be asked first.
    userdbBlocks(version, directory, userdbs),
    options.passdb ?? PASSDB[version],
    options.authCache ? AUTH_CACHE : '',
    NAMESPACE,
    ...protocols.map(listener),
    protocols.includes('lmtp') ? sieveBlocks(version, options.sieveScript) : '',
    postLogin === undefined ? '' : scriptLoginBlocks(version, postLogin),
    postLoginSocket === undefined
      ? ''
      : ['imap', 'pop3'].map((protocol) => `service ${protocol} {\n  executable = ${protocol} ${postLoginSocket}\n}\n`).join(''),
    config,
    '',
  ].join('\n');
}

function common({ directory, host }: DovecotConfigOptions): string {
  return `base_dir = ${directory}/run
state_dir = ${directory}/state
log_path = ${directory}/dovecot.log
listen = ${host}
ssl = no
auth_mechanisms = plain
mail_max_userip_connections = 1000
`;
}

function head23(options: DovecotConfigOptions): string {
  return `${common(options)}
protocols = ${options.protocols.join(' ')}
disable_plaintext_auth = no
login_log_format_elements = "rport=%b user=<%u> session=<%{session}>"
mail_debug = ${options.debug ? 'yes' : 'no'}
mail_location = maildir:~/Maildir
mail_plugins = acl
plugin {
  acl = vfile
}
`;
}

function head24(options: DovecotConfigOptions): string {
  return `dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
${common(options)}
protocols {
${options.protocols.map((name) => `  ${name} = yes`).join('\n')}
}
auth_allow_cleartext = yes
login_log_format_elements = rport=%{remote_port} user=<%{user}> session=<%{session}>
${options.debug ? 'log_debug = category=acl' : ''}
mail_driver = maildir
mail_path = ~/Maildir
mail_plugins {
  acl = yes
}
acl_driver = vfile
`;
}

const PASSDB: Readonly<Record<DovecotVersion, string>> = {
  '2.3': 'passdb {\n  driver = static\n  args = password=secret\n}\n',
  '2.4': 'passdb static {\n  password = secret\n}\n',
};

// Without a word on the time to live: an hour.
const AUTH_CACHE = 'auth_cache_size = 10M\n';

const NAMESPACE = 'namespace inbox {\n  inbox = yes\n  separator = /\n}\n';

function listener(protocol: Protocol): string {
  const [service, name] = {
    imap: ['imap-login', 'imap'],
    pop3: ['pop3-login', 'pop3'],
    lmtp: ['lmtp', 'lmtp'],
    sieve: ['managesieve-login', 'sieve'],
  }[protocol];
  const block = (listened: string, port: number): string => `  inet_listener ${listened} {\n    port = ${port}\n  }\n`;
  const encrypted = protocol === 'imap' || protocol === 'pop3' ? block(`${name}s`, 0) : '';
  return `service ${service} {\n${block(`${name}`, PORTS[protocol])}${encrypted}}\n`;
}

/** The Sieve plugin for LMTP. A user's own active script goes first; a mailbox that isn't there is made. */
function sieveBlocks(version: DovecotVersion, script: string | undefined): string {
  const common = 'postmaster_address = postmaster@example.test\nlda_mailbox_autocreate = yes\n';
  if (version === '2.3') {
    const fallback = script === undefined ? '' : `  sieve_default = ${script}\n`;
    return `${common}plugin {\n  sieve = file:~/sieve;active=~/.dovecot.sieve\n${fallback}}
protocol lmtp {\n  mail_plugins = $mail_plugins sieve\n}\n`;
  }
  const fallback =
    script === undefined ? '' : `sieve_script default {\n  type = default\n  name = default\n  driver = file\n  path = ${script}\n}\n`;
  return `${common}sieve_script personal {\n  type = personal\n  driver = file\n  path = ~/sieve\n  active_path = ~/.dovecot.sieve\n}
${fallback}protocol lmtp {\n  mail_plugins {\n    sieve = yes\n  }\n}\n`;
}
