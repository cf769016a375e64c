import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { layOutCheckout } from '../support/checkout.js';
import { launch as launchBy, PRINT_ENVIRONMENT, parsePrinted, SHELLS } from '../support/shells.js';

let prefix: string;
let cache: string;
let groupFile: string;
let options: readonly string[];

beforeAll(async () => {
  prefix = await layOutCheckout();
  cache = join(prefix, 'cache');
  groupFile = join(prefix, 'groups');
  const config = join(prefix, 'acl-groups.toml');
  writeFileSync(config, `providers = ["file"]\n[provider.file]\npath = "${groupFile}"\n`, { mode: 0o644 });
  options = ['-c', config, `--cache-dir=${cache}`];
});
afterAll(() => rmSync(prefix, { recursive: true, force: true }));

beforeEach(() => {
  mkdirSync(cache, { mode: 0o700 });
  writeFileSync(groupFile, 'acct:x:1:alice\n"odd" \\ name:x:2:alice\n');
});
afterEach(() => rmSync(cache, { recursive: true }));

const ALICE = { USER: 'alice', USERDB_KEYS: 'UID', UID: '77' };
const VALUE = String.raw`acct,"\"odd\" \\\\ name"`;

describe.each(SHELLS)('the cache of exec mode under $name', (shell) => {
  /** The environment of the program, or the launcher's exit status. */
  function login(
    env: Readonly<Record<string, string>> = ALICE,
    words: readonly string[] = options,
  ): Record<string, string> | number | null {
    const { status, stdout, stderr } = launchBy(shell, prefix, ['-D', '2.4', ...words, ...PRINT_ENVIRONMENT], env);
    return status === 0 && stderr === '' ? parsePrinted(stdout) : status;
  }
  const groups = (...given: Parameters<typeof login>): string | undefined => {
    const result = login(...given);
    return typeof result === 'object' ? result?.ACL_GROUPS : undefined;
  };
  const node = (): string => join(prefix, 'bin/node');
  beforeEach(() => {
    rmSync(node(), { force: true });
    symlinkSync(process.execPath, node());
  });
  /** From now on, starting Node.js ends the launcher with status 75. */
  const trap = (): void => {
    rmSync(node());
    writeFileSync(node(), '#!/bin/sh\nexit 75\n');
    chmodSync(node(), 0o755);
  };

  it('answers the second login without Node.js, with the same environment', () => {
    const first = login();
    trap();
    expect(login()).toEqual(first);
    expect(first).toMatchObject({ ...ALICE, ACL_GROUPS: VALUE, USERDB_KEYS: 'UID acl_groups' });
  });

  it('is over when its time has come', () => {
    login();
    trap();
    const past = new Date(Date.now() - 1000);
    utimesSync(join(cache, 'alice'), past, past);
    expect(login()).toBe(75);
  });

  it('asks what time it is at each login', () => {
    login();
    trap();
    expect(login()).not.toBe(75);
    // What the last login wrote to is older than this end, which is past all the same.
    const [before, end] = [new Date(Date.now() - 60_000), new Date(Date.now() - 1000)];
    utimesSync(join(cache, '.now'), before, before);
    utimesSync(join(cache, 'alice'), end, end);
    expect(login()).toBe(75);
  });

  it.each(['alice', '.now'])('follows no link in the place of %s', (name) => {
    login();
    expect(login()).not.toBe(75);
    trap();
    const [file, elsewhere] = [join(cache, name), join(cache, '.elsewhere')];
    if (!existsSync(file)) writeFileSync(file, '');
    renameSync(file, elsewhere);
    symlinkSync(elsewhere, file);
    const kept = readFileSync(elsewhere, 'utf8');
    expect(login()).toBe(75);
    expect(readFileSync(elsewhere, 'utf8')).toBe(kept);
  });

  it('answers a user whom nobody knows, and one with a name that is not ASCII', () => {
    const bob = { ...ALICE, USER: 'bob' };
    expect(groups(bob, options)).toBe('');
    writeFileSync(groupFile, 'b\u00fcro:x::carol\n');
    const carol = { ...ALICE, USER: 'carol' };
    expect(groups(carol, options)).toBe('b\u00fcro');
    trap();
    expect([groups(bob, options), groups(carol, options)]).toEqual(['', 'b\u00fcro']);
  });

  it.each<[string, Record<string, string>]>([
    ['another user', { ...ALICE, USER: 'bob' }],
    ['a user name with a path in it', { ...ALICE, USER: '../cache/alice' }],
    ['a user name that is a pattern', { ...ALICE, USER: 'alic?' }],
    ['another account', { ...ALICE, SYSTEM_GROUPS_USER: 'alicia' }],
    ['groups of the userdb', { ...ALICE, ACL_GROUPS: 'own' }],
    ['a userdb field that a shell would lose', { ...ALICE, USERDB_KEYS: 'A/B', 'A/B': '1' }],
  ])('leaves %s to Node.js', (_what, env) => {
    login();
    trap();
    expect(login(env)).toBe(75);
  });

  it('leaves other options to Node.js', () => {
    login();
    trap();
    expect(login(ALICE, ['-p', 'unix', ...options])).toBe(75);
    expect(login(ALICE, options.slice(0, 2))).toBe(75);
    expect(login(ALICE, [...options, '--'])).toBe(75);
  });

  it.each([0, 1, 2, 3, 4, 5])('leaves a file that ends after %i lines to Node.js', (lines) => {
    login();
    trap();
    const file = join(cache, 'alice');
    const whole = readFileSync(file, 'utf8').split('\n');
    writeFileSync(
      file,
      whole
        .slice(0, lines)
        .map((line) => `${line}\n`)
        .join(''),
    );
    const future = new Date(Date.now() + 60_000);
    utimesSync(file, future, future);
    expect(login()).toBe(75);
  });

  it('takes options in every form', () => {
    const forms = [
      ['-C', cache, ...options.slice(0, 2)],
      [`-C${cache}`, ...options.slice(0, 2), '--'],
      ['--cache-dir', cache, `--config=${options[1]}`],
    ];
    for (const form of forms) {
      expect(groups(ALICE, form)).toBe(VALUE);
      trap();
      expect(groups(ALICE, form)).toBe(VALUE);
      rmSync(node());
      symlinkSync(process.execPath, node());
    }
  });

  it('keeps nothing of a provider that failed', () => {
    rmSync(groupFile);
    expect(login()).toBe(75);
    expect(readdirSync(cache).filter((name) => !name.startsWith('.'))).toEqual([]);
  });

  it('is not used where others may enter, which is said in the log and costs no login', () => {
    chmodSync(cache, 0o755);
    const { status, stdout, stderr } = launchBy(shell, prefix, ['-D', '2.4', ...options, ...PRINT_ENVIRONMENT], ALICE);
    expect(status).toBe(0);
    expect(parsePrinted(stdout).ACL_GROUPS).toBe(VALUE);
    expect(stderr).toBe(
      `acl-groups: error: --cache-dir ${cache}: not used: its mode is 755, and must be 700; mend it with: install -d -m 700 -o ${process.geteuid?.()} ${cache}\n`,
    );
    expect(readdirSync(cache)).toEqual([]);
  });
});
