import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { builtFile } from '../support/built-file.js';
import { type DovecotFacts, type Userdb, type UserdbDoor, uriOfSocket } from './facts.js';
import type { Step } from './finding.js';
import { missingLdapModule } from './ldap-module.js';
import type { Subject } from './subject.js';

/** Where Debian's package has the blocks; npm's has them beside the program. */
const SHARED = '/usr/share/acl-groups/dovecot';
const EXT = 'acl-groups-ldap.conf.ext';

/** A file of src/package/dovecot without its comments, with the paths of this machine. */
function blockFile(name: string, subject: Subject, facts: DovecotFacts): string {
  const shared = join(SHARED, name);
  const text = readFileSync(existsSync(shared) ? shared : builtFile(`dovecot/${name}`, import.meta.url), 'utf8');
  const serve = subject.config === undefined ? `${subject.command} serve` : `${subject.command} serve -c ${subject.config}`;
  return text
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll('/usr/bin/acl-groups serve', () => serve)
    .replaceAll('ldapi://%2frun%2fdovecot%2facl-groups', () => uriOfSocket(ownSocket(facts)))
    .replaceAll(`/etc/dovecot/${EXT}`, () => extFile(facts))
    .trim();
}

/** Where the service listens, or is going to. */
export function ownSocket({ own, baseDir }: DovecotFacts): string {
  return own?.listeners[0]?.path ?? `${baseDir}/acl-groups`;
}

function extFile(facts: DovecotFacts): string {
  return facts.doors.userdb?.door.file ?? join(dirname(facts.file), EXT);
}

/** The lines of a setting, or of a block, of the package's userdb block, as it is to be written on this machine. */
function settingLines(name: string, subject: Subject, facts: DovecotFacts): readonly string[] {
  const files = facts.version === '2.3' ? [EXT, 'userdb-2.3.conf'] : ['userdb-2.4.conf'];
  for (const file of files) {
    const [found] = new RegExp(`^( *)${name} (?:= .*|\\{\\n[\\s\\S]*?^\\1\\})$`, 'm').exec(blockFile(file, subject, facts)) ?? [];
    if (found !== undefined) {
      const indent = found.length - found.trimStart().length;
      return found.split('\n').map((line) => line.slice(indent));
    }
  }
  throw new Error(`the blocks for Dovecot ${facts.version} have no ${name}; install acl-groups again`);
}

/** To put some lines at the end of dovecot.conf, where they go before what was said earlier. */
export function paste({ file }: Pick<DovecotFacts, 'file'>, lines: readonly string[]): Step {
  return { what: `add to the end of ${file}`, lines };
}

/** A block around some lines. */
export function block(head: string, lines: readonly string[]): readonly string[] {
  return [`${head} {`, ...lines.map((line) => `  ${line}`), '}'];
}

/** To set something in a userdb's block. In 2.4 another block of the same name adds to it; in 2.3 it would be another userdb. */
export function inUserdb(facts: DovecotFacts, { name, driver, door }: Userdb, lines: readonly string[]): Step {
  if (facts.version === '2.4') return paste(facts, block(`userdb ${name}`, lines));
  const which = door?.file === undefined ? `userdb block with driver = ${driver}` : `userdb block with args = ${door.file}`;
  return { what: `in the ${which}, set`, lines };
}

/** To give the userdb that asks acl-groups what the package's block has for a setting: of Dovecot's userdb, or of its LDAP settings. */
export function asInPackage(
  kind: 'userdb' | 'ldap',
  names: readonly string[],
  subject: Subject,
  facts: DovecotFacts,
  own: Userdb & { readonly door: UserdbDoor },
): Step {
  const lines = names.flatMap((name) => settingLines(name, subject, facts));
  const file = kind === 'ldap' ? own.door.file : undefined;
  return file === undefined ? inUserdb(facts, own, lines) : { what: `in ${file}, set`, lines };
}

/** A setting of a service's block. */
export function inService(facts: DovecotFacts, name: string, lines: readonly string[]): Step {
  return paste(facts, block(`service ${name}`, lines));
}

/** What lets the search for a user go on to the next userdb. */
export const GOES_ON = 'result_success = continue-ok';

/** Everything that the recommended door takes, for a Dovecot that has none. */
export function wholeDoor(subject: Subject, facts: DovecotFacts): readonly Step[] {
  const text = blockFile(`userdb-${facts.version}.conf`, subject, facts);
  // Without it, 2.4 can't even read its settings.
  const install = missingLdapModule() === undefined ? [] : [INSTALL_LDAP];
  const before = facts.userdbs.map((userdb, index) => ({ userdb, lines: index === 0 ? [GOES_ON] : ['skip = found', GOES_ON] }));
  if (facts.version === '2.3') {
    const ext = extFile(facts);
    return [
      ...install,
      ...before.map(({ userdb, lines }) => inUserdb(facts, userdb, lines)),
      { what: `write ${ext}`, lines: blockFile(EXT, subject, facts).split('\n') },
      paste(facts, text.split('\n')),
    ];
  }
  const own = text.replace(/^userdb passwd \{\n[\s\S]*?^\}\n\n?/m, '');
  return [...install, paste(facts, [...before.flatMap(({ userdb, lines }) => block(`userdb ${userdb.name}`, lines)), ...own.split('\n')])];
}

/** What userdb ldap is in. */
export const INSTALL_LDAP: Step = { what: 'install the package dovecot-ldap' };

/** What makes a change of dovecot.conf take effect. */
export const RELOAD: Step = { what: 'then run: doveadm reload' };
