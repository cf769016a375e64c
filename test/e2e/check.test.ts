import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { applyFix, type CheckFinding, runCheck } from '../support/check.js';
import { type Dovecot, type DovecotOptions, SPELLING, scriptLoginBlocks, startDovecot, VERSIONS } from '../support/dovecot.js';
import { serveBlock, servicePid } from '../support/serve.js';
import { userdbDoor } from '../support/userdb-door.js';
import type { DovecotVersion } from '../support/world.js';

const EXT = 'acl-groups-ldap.conf.ext';
const SECRET = 'geheimnis';

/** What the files of a Dovecot say. */
interface Files {
  /** dovecot.conf */
  readonly conf: string;
  /** The LDAP settings that 2.3 keeps in a file of their own. */
  readonly ext: string;
}

/** One way in which a Dovecot can be wrong. */
interface Case {
  readonly title: string;
  /** Who finds it. */
  readonly check: string;
  readonly versions?: readonly DovecotVersion[];
  /** The Dovecot that it is done to. Default: the userdb door. */
  readonly door?: 'post-login' | 'script-login';
  readonly fault: (files: Files, version: DovecotVersion) => Partial<Files> | undefined;
  readonly level: 'warning' | 'error';
  readonly place: string | RegExp;
  readonly message: string | RegExp;
  /** What is run in the mount namespace of the check: for what isn't in the files. */
  readonly before?: string;
}

/** Replaces what has to be there. */
function swap(text: string, from: string | RegExp, to: string): string {
  if (text.search(from instanceof RegExp ? from : from.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')) < 0)
    throw new Error(`no ${from} in:\n${text}`);
  return text.replace(from, () => to);
}

/** Changes one of the LDAP settings, wherever this version has them. */
function ldap(files: Files, version: DovecotVersion, from: string | RegExp, to: string): Partial<Files> {
  return version === '2.3' ? { ext: swap(files.ext, from, to) } : { conf: swap(files.conf, from, to) };
}

const CASES: readonly Case[] = [
  {
    title: 'no ACL plugin',
    check: 'acl-plugin',
    fault: ({ conf }, version) => ({
      conf: swap(conf, version === '2.3' ? 'mail_plugins = acl\n' : /mail_plugins \{\n {2}acl = yes\n\}\n/, ''),
    }),
    level: 'error',
    place: 'mail_plugins',
    message: 'the ACL plugin is off; there Dovecot looks at no ACL: groups mean nothing',
  },
  {
    title: 'no ACL plugin for LMTP',
    check: 'acl-plugin',
    fault: ({ conf }, version) => ({
      conf: `${conf}\nprotocol lmtp {\n  ${version === '2.3' ? 'mail_plugins = sieve' : 'mail_plugins {\n    acl = no\n  }'}\n}\n`,
    }),
    level: 'warning',
    place: 'mail_plugins',
    message: 'the ACL plugin is off for lmtp; there Dovecot looks at no ACL: groups mean nothing',
  },
  {
    title: 'no ACL driver',
    check: 'acl-driver',
    fault: ({ conf }, version) => ({ conf: swap(conf, version === '2.3' ? '  acl = vfile\n' : 'acl_driver = vfile\n', '') }),
    level: 'error',
    place: /^(plugin\/acl|acl_driver)$/,
    message: "isn't set: the ACL plugin reads no ACLs",
  },
  {
    title: 'userdb ldap not installed',
    check: 'userdb-module',
    versions: ['2.3'],
    fault: () => undefined,
    before: 'mount -t tmpfs none /usr/lib/dovecot/modules/auth',
    level: 'error',
    place: '/usr/lib/dovecot/modules/auth',
    message: "userdb ldap isn't installed: nobody can log in",
  },
  {
    title: 'userdb ldap not installed, so that doveconf fails',
    check: 'dovecot',
    versions: ['2.4'],
    fault: () => undefined,
    before: 'mount -t tmpfs none /usr/lib/dovecot/modules/auth',
    level: 'error',
    place: /\.conf$/,
    message: "it has settings of userdb ldap, which isn't installed",
  },
  {
    title: 'no file of LDAP settings',
    check: 'userdb-file',
    versions: ['2.3'],
    fault: () => ({ ext: '' }),
    level: 'error',
    place: /\.ext$/,
    message: "can't be read: no user can log in",
  },
  {
    title: 'another socket',
    check: 'userdb-socket',
    fault: (files, version) => ldap(files, version, /%2facl-groups$/m, '%2fother'),
    level: 'error',
    place: /^userdb /,
    message: /^(uris|ldap_uris) leads to \S+\/run\/other, where the service doesn't listen; it does at \S+\/run\/acl-groups$/,
  },
  {
    title: 'a server that is no socket',
    check: 'userdb-socket',
    fault: (files, version) => ldap(files, version, /ldapi:\/\/\S+/, 'ldap://127.0.0.1'),
    level: 'error',
    place: /^userdb /,
    message: /^(uris|ldap_uris) names no socket \(ldapi:\/\/\): Dovecot doesn't ask acl-groups$/,
  },
  {
    title: 'another base',
    check: 'userdb-socket',
    fault: (files, version) => ldap(files, version, 'dc=acl-groups', 'dc=example'),
    level: 'error',
    place: /^userdb /,
    message: /^(uris|ldap_uris) needs a base of dc=acl-groups beside it, which the service answers for$/,
  },
  {
    title: 'a filter without the account',
    check: 'userdb-filter',
    fault: (files, version) => ldap(files, version, /\(account=%\{userdb:system_groups_user[^)]*\)/, ''),
    level: 'warning',
    place: /^userdb /,
    message: /filter doesn't state \(account=…\): a user whose UNIX account has another name is looked up by the wrong one$/,
  },
  {
    title: 'a filter of something else',
    check: 'userdb-filter',
    fault: (files, version) => ldap(files, version, '(uid=', '(mail='),
    level: 'error',
    place: /^userdb /,
    message: /filter has \(mail=…\), which the service doesn't know: every login fails$/,
  },
  {
    title: 'a filter without a default',
    check: 'userdb-filter',
    versions: ['2.4'],
    fault: ({ conf }) => ({ conf: swap(conf, 'system_groups_user | default', 'system_groups_user') }),
    level: 'error',
    place: 'userdb acl-groups',
    message: 'userdb_ldap_filter has (account=…) without "| default": a login without a value for it fails',
  },
  {
    title: 'a filter that switches the auth cache off',
    check: 'userdb-filter',
    fault: (files, version) => {
      const cached = { ...files, conf: `${files.conf}\nauth_cache_size = 10M\n` };
      const value = version === '2.3' ? '%{userdb:acl_groups}' : '%{userdb:acl_groups | default}';
      return { ...cached, ...ldap(cached, version, '(account=', `(aclGroups=${value})(account=`) };
    },
    level: 'warning',
    place: /^userdb /,
    message: /filter has \(aclgroups=…\), which switches Dovecot's auth cache off$/,
  },
  {
    title: 'no field of the answer',
    check: 'userdb-field',
    fault: (files, version) =>
      ldap(
        files,
        version,
        version === '2.3' ? 'aclGroups=acl_groups' : '%{ldap:aclGroups | default}',
        version === '2.3' ? 'aclGroups=groups' : '%{ldap:cn | default}',
      ),
    level: 'error',
    place: /^userdb /,
    message: /acl_groups of .*aclGroups\}?: users have no groups$/,
  },
  {
    title: 'a field without a default',
    check: 'userdb-field',
    versions: ['2.4'],
    fault: ({ conf }) => ({ conf: swap(conf, 'aclGroups | default', 'aclGroups') }),
    level: 'error',
    place: 'userdb acl-groups',
    message: 'fields have acl_groups without "| default": a user without groups can\'t log in',
  },
  {
    title: 'no skip',
    check: 'userdb-skip',
    fault: ({ conf }) => ({ conf: swap(conf, '  skip = notfound\n', '') }),
    level: 'error',
    place: /^userdb /,
    message: 'skip is not "notfound": users whom only a source of groups knows become mail users, without a home',
  },
  {
    title: 'no word on failures',
    check: 'userdb-failure',
    fault: ({ conf }) => ({ conf: swap(conf, '  result_internalfail = return-fail\n', '') }),
    level: 'error',
    place: /^userdb /,
    message: 'result_internalfail is not "return-fail": while acl-groups can\'t answer, logins go on without groups',
  },
  {
    title: 'a list of users that nobody has',
    check: 'userdb-iterate',
    fault: (files, version) => ldap(files, version, '(objectClass=none)', '(uid=*)'),
    level: 'error',
    place: /^userdb /,
    message: /iterate_filter is not a search for a class that nobody is in: doveadm -A and doveadm user "\*" fail$/,
  },
  {
    title: 'no fields of the list of users',
    check: 'userdb-iterate',
    versions: ['2.4'],
    fault: ({ conf }) => ({ conf: swap(conf, / {2}userdb_ldap_iterate_fields \{\n.*\n {2}\}\n/, '') }),
    level: 'error',
    place: 'userdb acl-groups',
    message: 'userdb_ldap_iterate_filter has no userdb_ldap_iterate_fields beside it: doveadm -A and doveadm user "*" fail',
  },
  {
    title: 'a userdb that ends the search',
    check: 'userdb-order',
    fault: ({ conf }) => ({ conf: conf.replaceAll('  result_success = continue-ok\n', '') }),
    level: 'error',
    place: 'userdb passwd',
    message: 'result_success is not "continue-ok": its users have no groups, the search ends there',
  },
  {
    title: 'a second userdb for users of the first',
    check: 'userdb-order',
    fault: ({ conf }, version) => ({
      conf: swap(
        conf,
        version === '2.3' ? 'userdb {\n  driver = ldap' : 'userdb acl-groups {',
        version === '2.3'
          ? 'userdb {\n  driver = static\n  args = uid=9999 gid=9999\n  result_success = continue-ok\n}\nuserdb {\n  driver = ldap'
          : 'userdb static {\n  result_success = continue-ok\n  fields {\n    uid = 9999\n  }\n}\nuserdb acl-groups {',
      ),
    }),
    level: 'warning',
    place: 'userdb static',
    message: 'skip is not "found": it is asked for users whom an earlier one knows, and its fields replace theirs',
  },
  {
    title: 'groups by the list that the userdb before gives',
    check: 'spellings',
    fault: ({ conf }, version) => ({
      conf:
        version === '2.3'
          ? swap(conf, 'driver = passwd\n', 'driver = passwd\n  override_fields = acl_groups=x\n')
          : `${conf}\nuserdb passwd {\n  fields {\n    acl_groups = x\n  }\n}\n`,
    }),
    level: 'error',
    place: 'userdb passwd',
    message: "gives acl_groups, which is replaced, because the filter doesn't state it",
  },
  {
    title: 'groups by the spelling that replaces a list',
    check: 'spellings',
    versions: ['2.3'],
    fault: ({ conf }) => ({ conf: swap(conf, 'driver = passwd\n', 'driver = passwd\n  override_fields = plugin/acl_groups=x\n') }),
    level: 'error',
    place: 'userdb passwd',
    message: 'gives plugin/acl_groups, which replaces the groups of acl-groups',
  },
  {
    title: 'groups one by one beside a list',
    check: 'spellings',
    versions: ['2.4'],
    fault: ({ conf }) => ({ conf: `${conf}\nuserdb passwd {\n  fields {\n    acl_groups/x = yes\n  }\n}\n` }),
    level: 'error',
    place: 'userdb passwd',
    message: 'gives acl_groups/x, which is ignored beside the list that acl-groups gives',
  },
  {
    title: 'no perl for what a shell can not hold',
    check: 'launcher',
    door: 'script-login',
    fault: () => undefined,
    before: 'mount --bind /dev/null /usr/bin/perl',
    level: 'warning',
    place: '/usr/bin/perl',
    message: "isn't installed: a login with fields that a shell can't hold, such as namespace/inbox/prefix, is denied",
  },
  {
    title: 'POP3 without post-login',
    check: 'post-login',
    door: 'post-login',
    fault: ({ conf }) => ({ conf: swap(conf, 'executable = pop3 acl-groups', 'executable = pop3') }),
    level: 'warning',
    place: 'service pop3',
    message: "its executable doesn't name the service's socket: POP3 sessions have no groups",
  },
  {
    title: 'a program of script-login without a path',
    check: 'script-login',
    door: 'script-login',
    fault: ({ conf }) => ({ conf: conf.replaceAll(/script-login \S+\/acl-groups/g, 'script-login acl-groups') }),
    level: 'error',
    place: /^service (imap|pop3)-postlogin$/,
    message: 'script-login\'s argument "acl-groups" has no full path: logins are denied',
  },
  {
    title: "a program of script-login that isn't there",
    check: 'script-login',
    door: 'script-login',
    fault: ({ conf }) => ({ conf: conf.replaceAll(/script-login \S+\/acl-groups/g, 'script-login /nowhere/acl-groups') }),
    level: 'error',
    place: /^service (imap|pop3)-postlogin$/,
    message: "script-login's argument /nowhere/acl-groups can't be executed: logins are denied",
  },
  {
    title: "Dovecot's limit for script-login",
    check: 'address-space',
    door: 'script-login',
    fault: ({ conf }) => ({ conf: `${conf.replaceAll(/^ {2}vsz_limit = .*\n/gm, '')}\ndefault_vsz_limit = 256M\n` }),
    level: 'warning',
    place: /^service (imap|pop3)-postlogin$/,
    message: 'vsz_limit is 256 MiB: Node.js runs slowly within it, and versions from 24 on not at all below 768 MiB',
  },
  {
    title: 'a service that runs as root',
    check: 'privileges',
    fault: ({ conf }) => ({ conf: swap(conf, /^ {2}user = \$.*\n/m, '') }),
    level: 'warning',
    place: 'service acl-groups',
    message: 'runs as root, which it has no need of',
  },
  {
    title: 'a service that starts as root',
    check: 'privileges',
    fault: ({ conf }) => ({ conf: swap(conf, '  drop_priv_before_exec = yes\n', '') }),
    level: 'warning',
    place: 'service acl-groups',
    message: 'starts as root, because the master leaves it to its processes to become their user',
  },
  {
    title: "a service whose program isn't there",
    check: 'service-program',
    fault: ({ conf }) => ({ conf: swap(conf, /executable = \S+\/acl-groups serve/, 'executable = /nowhere/acl-groups serve') }),
    level: 'error',
    place: 'service acl-groups',
    message: "executable /nowhere/acl-groups can't be executed: the service can't start, and logins fail",
  },
  {
    title: "a socket that is root's",
    check: 'listener',
    fault: ({ conf }, version) => ({
      conf: swap(conf, `    mode = 0600\n    user = ${SPELLING[version].internalUser}\n`, '    mode = 0600\n'),
    }),
    level: 'error',
    place: /\/run\/acl-groups$/,
    message: "mode 0600, user root: Dovecot's auth process, which runs as dovecot, may not connect: nobody can log in",
  },
  {
    title: 'a socket that is everybody’s',
    check: 'listener',
    fault: ({ conf }) => ({ conf: swap(conf, 'mode = 0600', 'mode = 0666') }),
    level: 'warning',
    place: /\/run\/acl-groups$/,
    message: "mode 0666, user dovecot: every user of this machine may ask for anybody's groups",
  },
  {
    title: 'a limit of address space',
    check: 'address-space',
    fault: ({ conf }) => ({ conf: swap(conf, /vsz_limit = (0|unlimited)/, 'vsz_limit = 256M') }),
    level: 'error',
    place: 'service acl-groups',
    message: "vsz_limit is 256 MiB: Node.js can't run within it",
  },
  {
    title: 'groups of everybody in dovecot.conf',
    check: 'own-groups',
    fault: ({ conf }, version) => ({
      conf: `${conf}\n${version === '2.3' ? 'plugin {\n  acl_groups = all staff,x\n}' : 'acl_groups = "all staff" x'}\n`,
    }),
    level: 'error',
    place: /^(plugin\/)?acl_groups$/,
    message: 'is set in dovecot.conf, and replaced by what acl-groups gives: users lose "all staff", "x"',
  },
  {
    title: 'an auth cache that mixes users up',
    check: 'auth-cache',
    versions: ['2.4'],
    fault: ({ conf }) => ({ conf: `${conf}\nauth_cache_size = 10M\n` }),
    before: 'mount -t tmpfs none /usr/share/doc/dovecot-core',
    level: 'error',
    place: 'auth_cache_size',
    message: 'with userdb passwd, Dovecot 2.4.1-4 gives users what it has cached for others (CVE-2025-30189); 2.4.2 fixes it',
  },
];

/** Those whose fix is a sentence, because what is to be done isn't a text to paste. */
const IN_WORDS: Readonly<Record<string, string>> = {
  'userdb-module': 'install the package dovecot-ldap',
  dovecot: 'install the package dovecot-ldap',
  launcher: 'install perl',
};

/** What a userdb block gives can't be taken out by pasting. */
const REMOVED = /^remove (\S+) from the block of userdb passwd, and give those groups by acl-groups$/;

describe.each(VERSIONS)('acl-groups check of Dovecot %s', (version) => {
  const command = (): string => inject('installed')[version].command;
  const base: DovecotOptions = {
    version,
    protocols: ['imap', 'pop3', 'lmtp'],
    accounts: [{ name: 'alice' }],
    groups: { acct: ['alice'], sales: ['alice'] },
    userdbs: [{ driver: 'passwd', continues: true }],
    publicMailboxes: { team: 'group=acct lr\n' },
  };
  const withService = (more = ''): Partial<DovecotOptions> => {
    const door = userdbDoor(version, command());
    return { ...door, config: (directory) => `${typeof door.config === 'function' ? door.config(directory) : ''}${more}` };
  };
  /** The door's blocks for another userdb than passwd. */
  const withServiceFor = (directory: string, driver: string): string => {
    const { config } = withService();
    return (typeof config === 'function' ? config(directory) : '').replace('userdb passwd {', `userdb ${driver} {`);
  };
  let dovecot: Dovecot;
  beforeAll(async () => {
    dovecot = await startDovecot({ ...base, ...withService() });
    await servicePid(dovecot);
  });
  afterAll(() => dovecot.stop());
  const path = (name: string): string => join(dovecot.world.directory, name);
  let number = 0;

  /** Files of a case's own, as the running Dovecot has them or changed. */
  function write(files: Files): string {
    const conf = path(`case-${++number}.conf`);
    const ext = path(`case-${number}.ext`);
    writeFileSync(conf, files.conf.replaceAll(path(EXT), ext));
    if (files.ext === '') rmSync(ext, { force: true });
    else writeFileSync(ext, files.ext);
    return conf;
  }

  /** A sound Dovecot of each door. */
  function sound(door: Case['door']): Files {
    const conf = readFileSync(path('dovecot.conf'), 'utf8');
    const ext = readFileSync(path(EXT), 'utf8');
    if (door === undefined) return { conf, ext };
    const [before = ''] = conf.split(/^# Dovecot 2\.\d: groups from/m);
    if (door === 'script-login') {
      const limit = `vsz_limit = ${SPELLING[version].noLimit}`;
      return { conf: before + scriptLoginBlocks(version, command()).replaceAll(/^ {2}user = /gm, `  ${limit}\n  user = `), ext };
    }
    const asking = ['imap', 'pop3'].map((name) => `service ${name} {\n  executable = ${name} acl-groups\n}\n`).join('');
    return { conf: before + serveBlock(version, command()) + asking, ext };
  }

  it.each([undefined, 'post-login', 'script-login'] as const)('finds nothing in a sound one (%s)', async (door) => {
    const { findings } = await runCheck(dovecot.world, command(), ['-d', write(sound(door)), 'alice']);
    expect(findings.filter(({ section, level }) => section === 'dovecot' && level !== 'ok')).toEqual([]);
    if (door === undefined) {
      expect(findings.filter(({ level }) => level !== 'ok')).toEqual([]);
      expect(findings.filter(({ section }) => section === 'service')).toHaveLength(5);
    }
  });

  it.each(CASES.filter(({ versions }) => versions?.includes(version) ?? true))('finds $title ($check), and says the fix', async (one) => {
    const { check, level, place, message, door, fault, before } = one;
    const files = sound(door);
    const conf = write({ ...files, ...fault(files, version) });
    const found = await runCheck(dovecot.world, command(), ['-d', conf], before);
    const faults = found.faults(check);
    expect(faults.length).toBeGreaterThan(0);
    for (const finding of faults) {
      expect(finding).toMatchObject({
        level,
        place: place instanceof RegExp ? expect.stringMatching(place) : place,
        message: message instanceof RegExp ? expect.stringMatching(message) : message,
      });
      if (IN_WORDS[check] !== undefined) expect(finding.fix).toBe(IN_WORDS[check]);
      else if (REMOVED.test(finding.fix ?? ''))
        writeFileSync(conf, readFileSync(conf, 'utf8').replaceAll(/^.*acl_groups(?:\/x = |=x).*\n/gm, ''));
      else await applyFix(dovecot.world, conf, finding.fix);
    }
    const after = await runCheck(dovecot.world, command(), ['-d', conf], IN_WORDS[check] === undefined ? before : undefined);
    expect(after.faults(check)).toEqual([]);
    rmSync(join(dovecot.world.etc, 'acl-groups.toml'), { force: true });
  });

  it('finds a service user without an account', async () => {
    const files = sound(undefined);
    const conf = write({ ...files, conf: swap(files.conf, /^ {2}user = \$.*\n/m, '  user = nobody-here\n') });
    const { faults } = await runCheck(dovecot.world, command(), ['-d', conf]);
    expect(faults('privileges')).toEqual([
      expect.objectContaining({
        level: 'error',
        place: 'service acl-groups',
        message: 'user "nobody-here" has no account on this machine: the service can\'t start',
        fix: 'name another user, or create the account',
      }),
    ]);
  });

  it("says when it can't judge by the service's rights, for want of setpriv", async () => {
    const [upper, work] = [path('upper'), path('work')];
    const overlay = `lowerdir=/usr/bin,upperdir=${upper},workdir=${work}`;
    const before = `mkdir ${upper} ${work} && mount -t overlay -o ${overlay} overlay /usr/bin && rm /usr/bin/setpriv`;
    const { faults } = await runCheck(dovecot.world, command(), ['-d', path('dovecot.conf')], before);
    expect(faults('rights')).toEqual([
      expect.objectContaining({
        level: 'warning',
        place: 'acl-groups check',
        message: 'files are judged as root reads them, not as the service does: setpriv (util-linux) is not installed',
      }),
    ]);
  });

  it('finds a userdb behind it', async () => {
    const files = sound(undefined);
    const block =
      version === '2.3'
        ? 'userdb {\n  driver = static\n  args = uid=9999 gid=9999\n}\n'
        : 'userdb static {\n  fields {\n    uid = 9999\n  }\n}\n';
    const conf = write({ ...files, conf: files.conf + block });
    const { faults } = await runCheck(dovecot.world, command(), ['-d', conf]);
    expect(faults('userdb-order')).toEqual([
      expect.objectContaining({
        level: 'error',
        place: 'userdb static',
        message: 'stands behind the one that asks acl-groups: its users have no groups',
        fix: `move the userdb block that asks acl-groups to the end of ${conf}`,
      }),
    ]);
  });

  it('says which line doveconf refuses, and shows no secret', async () => {
    const files = sound(undefined);
    const broken = write({ ...files, conf: `${files.conf}\nssl_key_password ${SECRET}\n` });
    const { faults, result } = await runCheck(dovecot.world, command(), ['-d', broken]);
    const line =
      readFileSync(broken, 'utf8')
        .split('\n')
        .findIndex((text) => text.includes(SECRET)) + 1;
    expect(faults('dovecot')).toEqual([
      expect.objectContaining({
        level: 'error',
        place: broken,
        message: `doveconf can't read it: see ${broken} line ${line}`,
        fix: `what it says is shown by: doveconf -n -c ${broken}`,
      }),
    ]);
    expect(result.stdout).not.toContain(SECRET);
    const password = version === '2.3' ? `ssl_key_password = ${SECRET}\n` : `ssl_server_key_password = ${SECRET}\n`;
    const fields =
      version === '2.3'
        ? files.conf
        : `${files.conf}\nuserdb passwd {\n  fields {\n    acl_groups/x = yes\n    token = ${SECRET}\n  }\n}\n`;
    const conf = write({ conf: fields + password, ext: `${files.ext}dnpass = ${SECRET}\n`.replace('(uid=', '(mail=') });
    const words = ['-d', conf, 'alice'];
    const [json, table] = [await runCheck(dovecot.world, command(), words), await dovecot.world.run([command(), 'check', ...words])];
    expect(json.faults('dovecot')).toEqual([]);
    expect(table.stdout).toContain('Dovecot');
    expect(json.result.stdout + table.stdout + table.stderr).not.toContain(SECRET);
  });

  it('opens the userdb door by its own words', async () => {
    const closed = await startDovecot({ ...base, userdbs: [{ driver: 'passwd' }] });
    onTestFinished(() => closed.stop());
    const conf = join(closed.world.directory, 'dovecot.conf');
    expect(await closed.groupsOf('alice')).toEqual([]);
    const { faults } = await runCheck(closed.world, command(), ['-d', conf, 'alice']);
    expect(faults('door')).toEqual([
      expect.objectContaining({ level: 'error', place: 'door', message: 'Dovecot asks acl-groups nowhere: no user has groups' }),
    ]);
    await applyFix(closed.world, conf, faults('door')[0]?.fix);
    await closed.reload();
    await servicePid(closed);
    expect([...(await closed.groupsOf('alice'))].sort()).toEqual(['acct', 'alice', 'sales']);
    const after = await runCheck(closed.world, command(), ['-d', conf, 'alice']);
    expect(after.findings.filter(({ level }) => level !== 'ok')).toEqual([]);
  });

  describe('of the service', () => {
    const check = (...words: readonly string[]) => runCheck(dovecot.world, command(), ['-d', path('dovecot.conf'), ...words]);

    it('says what it answers by both protocols, and that Dovecot has the same', async () => {
      const { findings } = await check('alice');
      const socket = path('run/acl-groups');
      expect(findings.filter(({ section }) => section === 'service')).toEqual([
        {
          section: 'service',
          check: 'service-answers',
          level: 'ok',
          place: socket,
          message: expect.stringMatching(/^userdb: alice: acl_groups=alice,acct,sales \([\d.]+ ms\)$/),
        },
        {
          section: 'service',
          check: 'service-answers',
          level: 'ok',
          place: socket,
          message: expect.stringMatching(/^post-login: alice: acl_groups=alice,acct,sales \([\d.]+ ms\)$/),
        },
        {
          section: 'service',
          check: 'service-same',
          level: 'ok',
          place: socket,
          message: expect.stringMatching(/^acl-groups \S+ with \/etc\/acl-groups\.toml, as this command$/),
        },
        {
          section: 'service',
          check: 'userdb-room',
          level: 'ok',
          place: '[userdb] room',
          message: expect.stringMatching(/^the other fields of alice's userdb reply take \d+ bytes, and 1024 are kept free$/),
        },
        { section: 'service', check: 'dovecot-value', level: 'ok', place: 'doveadm user', message: 'Dovecot has the same value for alice' },
      ]);
    });

    it('says when nobody is there', async () => {
      const socket = path('run/nobody');
      const { faults } = await check('-s', socket);
      expect(faults('service-answers')).toEqual([
        expect.objectContaining({
          level: 'error',
          place: socket,
          message: `the service can't be asked: connect ENOENT ${socket}`,
          fix: 'see whether Dovecot runs, and what its log says of the service: doveadm log errors',
        }),
      ]);
    });

    it('says to reload where the configuration names a socket that is not there yet', async () => {
      const files = sound(undefined);
      const renamed = ldap(files, version, /%2facl-groups$/m, '%2fnew-groups');
      const conf = write({
        ...files,
        ...renamed,
        conf: swap(renamed.conf ?? files.conf, 'unix_listener acl-groups', 'unix_listener new-groups'),
      });
      const { faults } = await runCheck(dovecot.world, command(), ['-d', conf]);
      const socket = path('run/new-groups');
      expect(faults('service-answers')).toEqual([
        expect.objectContaining({
          level: 'error',
          place: socket,
          message: `the service can't be asked: connect ENOENT ${socket}`,
          fix: 'run: doveadm reload\nif that changes nothing, restart Dovecot, which knows no settings of a module that was installed while it ran, or see why it refuses them: doveadm log errors',
        }),
      ]);
    });

    it('says when it reads another configuration', async () => {
      const toml = path('other.toml');
      writeFileSync(toml, '');
      const { faults } = await check('-c', toml);
      expect(faults('service-same')).toEqual([
        expect.objectContaining({
          level: 'warning',
          message: `the service reads /etc/acl-groups.toml, and this command ${toml}`,
          fix: 'look at that one: acl-groups check -c /etc/acl-groups.toml',
        }),
      ]);
    });

    it('says when it is another version than this command', async () => {
      const other = path('other-version');
      await dovecot.world.run(['cp', '-a', inject('installed')[version].directory, other]);
      const files = (await dovecot.world.run(['grep', '-rlF', manifest.version, join(other, 'dist', 'parts')])).stdout.trim().split('\n');
      for (const file of files) writeFileSync(file, readFileSync(file, 'utf8').replaceAll(manifest.version, '0.0.1'));
      const { faults } = await runCheck(dovecot.world, join(other, 'native-free/acl-groups'), ['-d', path('dovecot.conf')]);
      expect(faults('service-same')).toEqual([
        expect.objectContaining({
          level: 'warning',
          place: path('run/acl-groups'),
          message: `the service is acl-groups ${manifest.version}, and this command 0.0.1`,
          fix: 'run: systemctl restart dovecot',
        }),
      ]);
    });

    it('says when an answer takes long', async () => {
      const slow = await startDovecot({
        ...base,
        etc: {
          'acl-groups.toml': 'providers = ["/etc/slow.mjs"]\n',
          'slow.mjs': `export default { name: 'slow', description: 'slow', options: {}, create: () => ({
            groups: () => new Promise((resolve) => setTimeout(resolve, 1200, [{ name: 'late' }])),
          }) };\n`,
        },
        ...withService(),
      });
      onTestFinished(() => slow.stop());
      await servicePid(slow);
      const { faults } = await runCheck(slow.world, command(), ['-d', join(slow.world.directory, 'dovecot.conf'), 'alice']);
      expect(faults('service-answers')).toEqual([
        expect.objectContaining({
          level: 'warning',
          message: expect.stringMatching(/^userdb: alice: an answer took [\d.]+ ms$/),
          fix: 'see which provider takes that long: acl-groups lookup -v alice',
        }),
      ]);
    });

    it('says when a user is denied, and when Dovecot has another value', async () => {
      const other = await startDovecot({
        ...base,
        authCache: true,
        // 2.4.1 with userdb passwd and a cache would mix users up.
        userdbs: [{ driver: 'passwd-file', users: [{ name: 'bob' }], continues: true }],
        etc: {
          'acl-groups.toml': 'providers = ["file"]\n[provider.file]\npath = "/etc/mail-groups"\n[cache]\nttl = "0s"\nstale_ttl = "0s"\n',
          'mail-groups': 'team:::bob\n',
        },
        ...withService(),
        config: (directory) => withServiceFor(directory, 'passwd-file'),
      });
      onTestFinished(() => other.stop());
      await servicePid(other);
      const words = ['-d', join(other.world.directory, 'dovecot.conf'), 'bob'];
      expect(await other.groupsOf('bob')).toEqual(['team']);
      expect((await runCheck(other.world, command(), words)).findings.filter(({ section }) => section === 'service')).toHaveLength(5);
      writeFileSync(join(other.world.etc, 'mail-groups'), 'team:::bob\nsales:::bob\n');
      const stale = (await runCheck(other.world, command(), words)).faults('dovecot-value');
      expect(stale).toEqual([
        expect.objectContaining({
          level: 'warning',
          message: 'Dovecot has another value for bob than the service',
          fix: 'run: doveadm auth cache flush bob',
        }),
      ]);
      await other.doveadm(['auth', 'cache', 'flush', 'bob']);
      expect((await runCheck(other.world, command(), words)).faults('dovecot-value')).toEqual([]);
      writeFileSync(join(other.world.etc, 'mail-groups'), 'nonsense\n');
      const denied = await runCheck(other.world, command(), words);
      expect(denied.faults('service-answers')).toEqual([
        expect.objectContaining({
          level: 'error',
          message: expect.stringMatching(/^userdb: bob is denied: /),
          fix: 'see what each provider says: acl-groups lookup -v bob',
        }),
        expect.objectContaining({ level: 'error', message: 'post-login: bob is denied' }),
      ]);
      expect(denied.faults('providers')).toEqual([expect.objectContaining({ level: 'error', place: 'provider file' })]);
    });

    it('says when a value is near to what Dovecot takes, and when a configuration was refused', async () => {
      const names = Array.from({ length: 65 }, (_, index) => `${'g'.repeat(96)}${String(index).padStart(3, '0')}`);
      const near = await startDovecot({ ...base, groups: Object.fromEntries(names.map((name) => [name, ['alice']])), ...withService() });
      onTestFinished(() => near.stop());
      await servicePid(near);
      const words = ['-d', join(near.world.directory, 'dovecot.conf'), 'alice'];
      expect((await runCheck(near.world, command(), words)).faults('value-size')).toEqual([
        expect.objectContaining({
          level: 'warning',
          place: 'acl_groups',
          message: `alice's value has ${65 * 100 + 5} bytes; Dovecot takes 8192 of a userdb reply, all fields together`,
          fix: 'choose groups by include and exclude in [groups], or use the post-login service',
        }),
      ]);
      writeFileSync(join(near.world.etc, 'acl-groups.toml'), 'provider = ["unix"]\n');
      await near.reload();
      await near.log.wait(/every login is denied/);
      const denied = await runCheck(near.world, command(), words);
      expect(denied.faults('configuration')).toEqual([
        expect.objectContaining({
          level: 'error',
          place: '/etc/acl-groups.toml',
          message: 'provider: expected tables such as [provider.unix], found object',
        }),
      ]);
      expect(denied.faults('service-same')).toEqual([
        expect.objectContaining({ level: 'error', message: "the service has a configuration that it can't use, and denies every login" }),
      ]);
    });
  });

  it('finds the running Dovecot by itself', async () => {
    const conf = path('dovecot.conf');
    const { stdout } = await dovecot.world.run([
      'nsenter',
      '-t',
      `${dovecot.pid}`,
      '-m',
      '-r',
      '-w',
      command(),
      'check',
      '--json',
      'alice',
    ]);
    const findings = stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as CheckFinding);
    expect(findings.filter(({ check }) => check === 'dovecot')).toEqual([
      expect.objectContaining({ level: 'ok', place: conf, message: expect.stringMatching(/^Dovecot 2\.\S+, of the running Dovecot$/) }),
    ]);
    expect(findings.filter(({ level }) => level !== 'ok')).toEqual([]);
  });

  it('finds the running Dovecot in a mount namespace of its own, as systemd makes for it', async () => {
    const files = sound(undefined);
    const conf = write({ ...files, conf: `${files.conf}\nbase_dir = ${path('run-alone')}\nprotocols =\n` });
    const script = `mount -t proc proc /proc
      unshare --mount --propagation unchanged dovecot -F -c "$1" 2>/dev/null &
      until [ -e "$2/master.pid" ]; do sleep 0.1; done
      "$3" check --json
      kill $! && wait`;
    const words = ['sh', '-c', script, 'sh', conf, path('run-alone'), command()];
    const { stdout } = await dovecot.world.run([
      ...'unshare --mount --propagation unchanged --pid --fork --kill-child'.split(' '),
      ...words,
    ]);
    const findings = stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as CheckFinding);
    expect(findings.filter(({ check }) => check === 'dovecot')).toEqual([
      expect.objectContaining({ level: 'ok', place: conf, message: expect.stringMatching(/^Dovecot 2\.\S+, of the running Dovecot$/) }),
    ]);
  });

  it('says to install userdb ldap before the door is opened', async () => {
    const conf = write({
      ...sound(undefined),
      conf: readFileSync(path('dovecot.conf'), 'utf8').split(/^# Dovecot 2\.\d: groups from/m)[0] ?? '',
    });
    const { faults } = await runCheck(dovecot.world, command(), ['-d', conf], 'mount -t tmpfs none /usr/lib/dovecot/modules/auth');
    expect(faults('door')[0]?.fix).toMatch(/^install the package dovecot-ldap\n/);
  });

  it('finds AppArmor in force, unless the service answers in spite of it', async () => {
    const before =
      'mount -t tmpfs none /sys && mkdir -p /sys/kernel/security/apparmor && echo "dovecot (enforce)" >/sys/kernel/security/apparmor/profiles';
    const words = ['-d', path('dovecot.conf')];
    expect((await runCheck(dovecot.world, command(), [...words, '-s', path('nobody')], before)).faults('confinement')).toEqual([
      expect.objectContaining({
        level: 'warning',
        place: 'AppArmor',
        message:
          "is in force over Dovecot: it may keep Dovecot's master from starting acl-groups and Node.js, and the service from its sources",
        fix: 'see what it refused: journalctl -k --grep \'apparmor="DENIED".*dovecot\'',
      }),
    ]);
    const { findings } = await runCheck(dovecot.world, command(), words, before);
    expect(findings.filter(({ check }) => check === 'confinement')).toEqual([
      expect.objectContaining({ level: 'ok', place: 'AppArmor', message: 'is in force over Dovecot, and the service answers' }),
    ]);
  });

  it.each([
    [
      'active',
      undefined,
      'warning',
      "is on, and Dovecot doesn't ask it",
      'run: systemctl disable --now acl-groups.socket acl-groups.service',
    ],
    ['inactive', 'post-login', 'error', 'is off, and Dovecot asks it', 'run: systemctl enable --now acl-groups.socket'],
  ] as const)("finds systemd's socket %s where that is wrong", async (state, door, level, message, fix) => {
    const files = sound(door);
    const conf = write({ ...files, conf: files.conf.replaceAll(/(executable = (?:imap|pop3)) acl-groups/g, '$1 /run/acl-groups.sock') });
    const before = `mount -t tmpfs none /usr/local/sbin && printf '#!/bin/sh\\necho ${state}\\n' >/usr/local/sbin/systemctl && chmod 755 /usr/local/sbin/systemctl`;
    const { faults } = await runCheck(dovecot.world, command(), ['-d', conf], before);
    expect(faults('units')).toEqual([expect.objectContaining({ level, place: 'acl-groups.socket', message, fix })]);
  });

  describe('of the configuration', () => {
    const toml = (): string => join(dovecot.world.etc, 'acl-groups.toml');
    const write = (text: string, mode = 0o644): void => {
      writeFileSync(toml(), text, { mode });
      onTestFinished(() => rmSync(toml()));
    };
    const check = () => runCheck(dovecot.world, command(), ['-d', path('dovecot.conf')]);

    it.each([
      [
        0o600,
        "the configuration can't be read: EACCES: permission denied, open '/etc/acl-groups.toml'",
        'run: chmod o+r /etc/acl-groups.toml',
      ],
      [0o666, 'may be written by others than its owner (mode 666)', 'run: chmod go-w /etc/acl-groups.toml'],
    ])('judges by mode %o what the service may read', async (mode, message, fix) => {
      write('');
      await dovecot.world.run(['chmod', mode.toString(8), '/etc/acl-groups.toml']);
      const { faults } = await check();
      expect(faults('configuration')).toEqual([expect.objectContaining({ level: 'error', place: '/etc/acl-groups.toml', message, fix })]);
      await applyFix(dovecot.world, path('dovecot.conf'), faults('configuration')[0]?.fix);
      expect((await check()).faults('configuration')).toEqual([]);
    });

    it('finds [userdb] room that is more than the other fields need', async () => {
      write('[userdb]\nroom = "7K"\n');
      const look = () => runCheck(dovecot.world, command(), ['-d', path('dovecot.conf'), 'alice']);
      const faults = (await look()).faults('userdb-room');
      const message =
        /^the other fields of alice's userdb reply take \d+ bytes, and 7168 are kept free: users with many groups are denied who would fit$/;
      expect(faults).toEqual([
        expect.objectContaining({ level: 'warning', place: '[userdb] room', message: expect.stringMatching(message) }),
      ]);
      await applyFix(dovecot.world, path('dovecot.conf'), faults[0]?.fix);
      expect(readFileSync(toml(), 'utf8')).toBe('[userdb]\nroom = "1K"\n');
      expect((await look()).faults('userdb-room')).toEqual([]);
    });

    it('finds [userdb] room that is less than the other fields need', async () => {
      const other = await startDovecot({
        ...base,
        userdbs: [
          { driver: 'passwd-file', users: [{ name: 'bob', fields: { mail_attachment_dir: `/${'x'.repeat(1100)}` } }], continues: true },
        ],
        ...withService(),
        config: (directory) => withServiceFor(directory, 'passwd-file'),
      });
      onTestFinished(() => other.stop());
      await servicePid(other);
      const conf = join(other.world.directory, 'dovecot.conf');
      const look = () => runCheck(other.world, command(), ['-d', conf, 'bob']);
      const faults = (await look()).faults('userdb-room');
      const message =
        /^the other fields of bob's userdb reply take 1[12]\d\d bytes, and 1024 are kept free: with many groups, such a user can't log in$/;
      expect(faults).toEqual([
        expect.objectContaining({ level: 'error', place: '[userdb] room', message: expect.stringMatching(message) }),
      ]);
      await applyFix(other.world, conf, faults[0]?.fix);
      expect(readFileSync(join(other.world.etc, 'acl-groups.toml'), 'utf8')).toBe('[userdb]\nroom = "2K"\n');
      expect((await look()).faults('userdb-room')).toEqual([]);
    });

    it("passes on what providers say, each by the service's rights", async () => {
      write('providers = ["unix", "file"]\n[provider.file]\npath = "/etc/mail-groups"\n');
      writeFileSync(join(dovecot.world.etc, 'mail-groups'), 'team:::alice\n', { mode: 0o600 });
      const { faults } = await check();
      expect(faults('providers')).toEqual([
        expect.objectContaining({
          level: 'error',
          place: 'provider file',
          message: expect.stringContaining("/etc/mail-groups can't be used: EACCES"),
        }),
      ]);
    });
  });

  // 2.3 has no such blocks.
  if (version === '2.4')
    it('finds groups that acl blocks of dovecot.conf name and no source has', async () => {
      const files = sound(undefined);
      const acls = `
acl group=acct {
  rights = lr
}
mailbox Foo {
  acl "group=Domain Users" {
    rights = lr
  }
}
namespace more {
  prefix = More/
  type = public
  separator = /
  mailbox team {
    acl one {
      id = group-override=slaes
      rights = lr
    }
    acl user=group=bob {
      rights = lr
    }
  }
}
`;
      const conf = write({ ...files, conf: files.conf + acls });
      const { findings } = await runCheck(dovecot.world, command(), ['-d', conf]);
      expect(findings.filter(({ section }) => section === 'acl-files')).toEqual(
        [
          { level: 'ok', place: conf, message: 'acl blocks: 4; groups that they name: 3' },
          {
            level: 'warning',
            place: `${conf}, mailbox Foo`,
            message: 'group "Domain Users" is in no source',
            fix: 'correct the name, or create the group',
          },
          {
            level: 'warning',
            place: `${conf}, namespace more, mailbox team`,
            message: 'group "slaes" is in no source; the nearest is "sales"',
            fix: 'if that is meant, write group=sales',
          },
        ].map((finding) => ({ section: 'acl-files', check: 'acl-files', ...finding })),
      );
    });

  it('finds groups of ACL files that no source has, and rights that are taken away, and follows no link', async () => {
    const conf = path('dovecot.conf');
    const mail = path('mail-acl');
    await dovecot.world.run(['mkdir', '-p', `${mail}/.a`, `${mail}/.b`, `${mail}/.c`]);
    writeFileSync(`${mail}/.a/dovecot-acl`, 'group=acct lr\ngroup=slaes lr\n-group=sales w\n"group=Domain Users" lr\nuser=bob lr\n');
    writeFileSync(`${mail}/.b/dovecot-acl`, 'group=slaes lr\n');
    await dovecot.world.run(['ln', '-s', '/etc/shadow', `${mail}/.c/dovecot-acl`]);
    const global = path('global-acl');
    writeFileSync(global, '# all\n* group=acct lr\n"Public/x y" group-override=Sales lr\n');
    const { findings } = await runCheck(dovecot.world, command(), ['-d', conf, '--acl', mail, '--acl', global]);
    expect(findings.filter(({ section }) => section === 'acl-files')).toEqual(
      [
        { level: 'ok', place: `${mail}, ${global}`, message: 'ACL files: 3; groups that they name: 5' },
        { level: 'warning', place: `${mail}/.c/dovecot-acl`, message: 'is a link or no regular file: not read' },
        {
          level: 'warning',
          place: `${mail}/.a/dovecot-acl and 1 more`,
          message: 'group "slaes" is in no source; the nearest is "sales"',
          fix: 'if that is meant, write group=sales',
        },
        {
          level: 'warning',
          place: `${mail}/.a/dovecot-acl`,
          message: 'group "Domain Users" is in no source',
          fix: 'correct the name, or create the group',
        },
        {
          level: 'warning',
          place: global,
          message: 'group "Sales" is in no source; the nearest is "sales"',
          fix: 'if that is meant, write group=sales',
        },
        {
          level: 'warning',
          place: `${mail}/.a/dovecot-acl`,
          message: '-group=sales takes rights away: a user who loses the group, or whose groups are incomplete, gains them',
          fix: 'give rights to groups instead; see on_error and on_incomplete',
        },
      ].map((finding) => ({ section: 'acl-files', check: 'acl-files', ...finding })),
    );
  });
});
