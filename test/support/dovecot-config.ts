import type { DovecotVersion } from './world.js';

/** What a generated dovecot.conf depends on. */
export interface DovecotConfigOptions {
  readonly version: DovecotVersion;
  readonly directory: string;
  readonly host: string;
  readonly imapPort: number;
  readonly pop3Port: number;
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
  const { version, postLogin, postLoginSocket, config } = options;
  return [
    version === '2.3' ? head23(options) : head24(options),
    listeners(options),
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
protocols = imap pop3
disable_plaintext_auth = no
login_log_format_elements = "rport=%b user=<%u> session=<%{session}>"
mail_debug = ${options.debug ? 'yes' : 'no'}
mail_location = maildir:~/Maildir
mail_plugins = acl
plugin {
  acl = vfile
}
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = passwd-file
  args = username_format=%u ${options.directory}/users
}
userdb {
  driver = passwd
}
namespace inbox {
  inbox = yes
  separator = /
}
`;
}

function head24(options: DovecotConfigOptions): string {
  return `dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
${common(options)}
protocols {
  imap = yes
  pop3 = yes
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
passdb static {
  password = secret
}
userdb passwd-file {
  passwd_file_path = ${options.directory}/users
}
userdb passwd {
}
namespace inbox {
  inbox = yes
  separator = /
}
`;
}

function listeners({ imapPort, pop3Port }: DovecotConfigOptions): string {
  const block = (protocol: string, port: number): string => `service ${protocol}-login {
  inet_listener ${protocol} {
    port = ${port}
  }
  inet_listener ${protocol}s {
    port = 0
  }
}
`;
  return block('imap', imapPort) + block('pop3', pop3Port);
}
