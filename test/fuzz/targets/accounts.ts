import { strictEqual } from 'node:assert/strict';
import { readMemberships } from '../../../src/providers/file/memberships.js';
import { indexGroup, indexPasswd } from '../../../src/providers/unix/account-files.js';
import { formatServices, parseNsswitch, type Service } from '../../../src/providers/unix/nsswitch.js';
import { decodeName } from '../../../src/support/group-lines.js';
import { accountFiles, nsswitchFiles } from '../../support/account-arbitraries.js';
import type { Target } from '../target.js';

/*
 * The files of accounts. What glibc makes of them is said a second time here: by splitting and regular expressions, or, for nsswitch.conf, by
 * glibc's own steps (nss/nss_database.c, nss_action_parse.c).
 */

/** Some files of the generator have 160 KB, which tells nothing here that shorter ones don't. */
const LONGEST = 4096;

const TOKENS = [':', ',', '\n', ' ', '\t', '#', '+', '-', '0', '4294967295', '4294967294', '18446744073709551616', '\0', '\r\n', '\xff'];
const LINES = ['g:x:5:alice,bob\n', 'alice:x:1:5::\n', '+:::alice\n', '-g::3:alice\n', '\xef\xbb\xbf', '\xc3\xbc'];

/** Lines as C sees them: up to the first NUL. */
function stringsOf(text: string): readonly string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => line.split('\0')[0] ?? '');
}

/** strtoul(3) in 32 bits, of a field that has to be a number to its end. */
function numberIn(field: string): number | undefined {
  const [, sign, digits] = /^[ \t\v\f\r]*([+-]?)(\d+)$/.exec(field) ?? [];
  if (digits === undefined) return undefined;
  const magnitude = BigInt(digits);
  const value = magnitude >= 2n ** 64n ? 2n ** 64n - 1n : sign === '-' ? (2n ** 64n - magnitude) % 2n ** 64n : magnitude;
  return Number(value > 0xffff_ffffn ? 0xffff_ffffn : value);
}

function membersIn(field: string): readonly string[] {
  return field
    .split(',')
    .map((member) => member.replace(/^[ \t\v\f\r]+/, ''))
    .filter((member) => member !== '');
}

const shown = (entries: Iterable<readonly [unknown, unknown]>): string => JSON.stringify([...entries]);

export const passwd: Target = {
  name: 'passwd',
  inputs: accountFiles.map((files) => files.passwd),
  tokens: [...TOKENS, ...LINES],
  check(text) {
    const expected = new Map<string, number>();
    for (const line of stringsOf(text)) {
      const [name = '', , uid, gid] = line.replace(/^[ \t\v\f\r]+/, '').split(':');
      const [user, group] = [numberIn(uid ?? ''), numberIn(gid ?? '')];
      // A line without a name is one of an account that has none.
      if (user === undefined || group === undefined || /^[#+-]/.test(name) || line.trim() === '') continue;
      if (!expected.has(name)) expected.set(name, group);
    }
    strictEqual(shown(indexPasswd(text)), shown(expected));
  },
};

export const group: Target = {
  name: 'group',
  inputs: accountFiles.map((files) => files.group.slice(0, LONGEST)),
  tokens: [...TOKENS, ...LINES],
  check(text) {
    const names = new Map<number, string>();
    const gids = new Map<string, number[]>();
    for (const line of stringsOf(text)) {
      const [name = '', password, id, ...rest] = line.replace(/^[ \t\v\f\r]+/, '').split(':');
      if (password === undefined || id === undefined) continue;
      const gid = /^[+-]/.test(line) && id === '' && rest.length > 0 ? 0 : numberIn(id);
      if (gid === undefined) continue;
      if (!/^[#+-]/.test(name) && !names.has(gid)) names.set(gid, name);
      for (const member of membersIn(rest.join(':'))) {
        const known = gids.get(member) ?? [];
        if (known.at(-1) !== gid) gids.set(member, [...known, gid]);
      }
    }
    const index = indexGroup(text);
    strictEqual(shown(index.names), shown(names));
    strictEqual(shown(index.gids), shown(gids));
  },
};

/** Whether the strict reader of group files grants no group that other readers of group(5) do not see, and loses none that they see. */
export function checkStrictly(text: string): void {
  let strict: ReturnType<typeof readMemberships>;
  try {
    strict = readMemberships(text);
  } catch (error) {
    if (error instanceof Error && /^line \d+: /.test(error.message)) return;
    throw error;
  }
  // What differs on purpose: an id may be missing, a name twice is one group, blanks behind a member don't count, nor does a byte order mark.
  const plain = text.replace(/^\xef\xbb\xbf/, '');
  const lines = plain.split('\n').filter((line) => /^[ \t\v\f\r]*[^ \t\v\f\r#]/.test(line));
  const names = lines.map((line) => line.replace(/^[ \t\v\f\r]+/, '').split(':')[0]);
  const ids = lines.map((line) => Number(line.split(':')[2] || Number.NaN));
  if (new Set(names).size < lines.length || new Set(ids).size < lines.length || ids.some(Number.isNaN)) return;
  const loose = plain.split('\n').map((line) => {
    const [name = '', password = '', id = '', ...members] = line.split(':');
    if (/^[ \t\v\f\r]*#/.test(line)) return '';
    return [name, password, id, members.join(':').replace(/[ \t\v\f\r]+(?=,|$)/g, '')].join(':');
  });
  const { gids, names: byId } = indexGroup(loose.join('\n'));
  const sorted = (groups: Iterable<readonly [string, readonly string[]]>): string =>
    JSON.stringify([...groups].map(([member, list]) => [member, [...list].sort()]).sort());
  strictEqual(
    sorted([...strict].map(([member, groups]) => [member, [...groups].map(({ name }) => name)])),
    sorted([...gids].map(([member, list]) => [decodeName(member), list.map((gid) => decodeName(byId.get(gid) ?? ''))])),
  );
}

export const file: Target = {
  name: 'file',
  inputs: accountFiles.map((files) => files.group.slice(0, LONGEST)),
  tokens: [...TOKENS, ...LINES],
  check: checkStrictly,
};

const isBlank = (character: string | undefined): boolean => character !== undefined && ' \t\n\v\f\r'.includes(character);

/** nss_action_parse() and process_line(), step by step. `undefined` where glibc gives up. */
function servicesIn(list: string): readonly Service[] | undefined {
  const services: Service[] = [];
  let at = 0;
  const skip = (): void => {
    while (isBlank(list[at])) at++;
  };
  const until = (ends: string): string => {
    const start = at;
    while (at < list.length && !isBlank(list[at]) && !ends.includes(list[at] ?? '')) at++;
    return list.slice(start, at);
  };
  for (let commented = false; ; ) {
    skip();
    const name = until('[');
    if (name === '') return services;
    skip();
    const actions: string[] = [];
    if (list[at] === '[') {
      at++;
      skip();
      do {
        const not = list[at] === '!' ? '!' : '';
        if (not !== '') at++;
        const status = until('=]').toUpperCase();
        if (!['SUCCESS', 'UNAVAIL', 'NOTFOUND', 'TRYAGAIN'].includes(status)) return undefined;
        skip();
        if (list[at] !== '=') return undefined;
        at++;
        skip();
        const action = until('=]').toLowerCase();
        if (!['return', 'merge', 'continue'].includes(action)) return undefined;
        actions.push(`${not}${status}=${action}`);
        skip();
      } while (list[at] !== ']');
      at++;
    }
    commented ||= name.startsWith('#');
    services.push({ name, actions, ...(commented && { commented }) });
  }
}

const DATABASES =
  /^(?:aliases|ethers|group|group_compat|gshadow|hosts|initgroups|netgroup|networks|passwd|passwd_compat|protocols|publickey|rpc|services|shadow|shadow_compat)$/;

function databasesIn(text: string): ReadonlyMap<string, readonly Service[]> | undefined {
  const found = new Map<string, readonly Service[]>();
  for (const whole of text.split('\n').slice(0, -1)) {
    const line = `${whole}\n`.split('\0')[0] ?? '';
    let at = 0;
    while (isBlank(line[at])) at++;
    const start = at;
    while (at < line.length && !isBlank(line[at]) && line[at] !== ':') at++;
    const name = line.slice(start, at);
    const end = at;
    while (isBlank(line[at]) || line[at] === ':') at++;
    if (at === end || !DATABASES.test(name)) continue;
    const services = servicesIn(line.slice(at));
    if (services === undefined) return undefined;
    found.set(name, services);
  }
  return found;
}

export const nsswitch: Target = {
  name: 'nsswitch.conf',
  inputs: nsswitchFiles,
  tokens: [
    'group:',
    'passwd:',
    'initgroups:',
    'files',
    '[',
    ']',
    '[!UNAVAIL=return]',
    'NOTFOUND=merge',
    '=',
    ' ',
    '\n',
    '#',
    '\0',
    ':',
    '\v',
  ],
  check(text) {
    const expected = databasesIn(text);
    let found: ReturnType<typeof parseNsswitch>;
    try {
      found = parseNsswitch(text);
    } catch (error) {
      strictEqual(expected, undefined, String(error));
      return;
    }
    const files: readonly Service[] = [{ name: 'files', actions: [] }];
    const { passwd: users = files, group: groups = files, initgroups } = Object.fromEntries(expected ?? []);
    strictEqual(
      JSON.stringify(found),
      JSON.stringify({ passwd: users, group: groups, initgroups }),
      `expected ${expected ? '' : 'an error'}`,
    );
    // What is written of it for messages is what it is.
    const again = parseNsswitch(`group: ${formatServices(found.group)}\n`);
    strictEqual(JSON.stringify(again.group), JSON.stringify(found.group));
  },
};
