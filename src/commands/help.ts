import manifest from '../../package.json' with { type: 'json' };
import { EXIT } from '../support/errors.js';

const HELP = `Usage:
  acl-groups [-p names] [-c file] [-D version] [-C dir] [--] program [argument...]
  acl-groups lookup [-jv] [-p names] [-c file] [-D version] user...
  acl-groups lookup [-j] -s socket user...
  acl-groups serve [-p names] [-c file] [-D version] [-l path [-m mode]]
  acl-groups providers [-j]
  acl-groups -h | -V

Gives Dovecot's ACLs the groups of the user who logs in. The first form is for
script-login: it looks USER up, sets ACL_GROUPS, and execs the program. "serve"
is for Dovecot's master, for systemd, or has a socket of its own.

  -p, --providers names  where groups come from, separated by commas
  -c, --config file      instead of /etc/acl-groups.toml
  -D, --dovecot version  whose rules names are written by: 2.3 or 2.4
  -C, --cache-dir dir    where answers are kept from which the next login of a user
                         is answered without starting Node.js
  -j, --json             for programs: one JSON object a line
  -s, --socket path      ask a running service, as Dovecot would
  -l, --listen path      where the service makes its socket, if nobody hands it one
  -m, --mode mode        who may connect to it; 600 unless given
  -v, --verbose          also what the providers did
  -h, --help             this text
  -V, --version          the version
`;

export async function help(): Promise<number> {
  process.stdout.write(HELP);
  return EXIT.ok;
}

export async function version(): Promise<number> {
  process.stdout.write(`acl-groups ${manifest.version}\n`);
  return EXIT.ok;
}
