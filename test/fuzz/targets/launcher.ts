import { ok, strictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { formatEntry, isExpired } from '../../../src/exec/cache-entry.js';
import { parseEnvironment } from '../../../src/exec/environment.js';
import { formatPlan } from '../../../src/exec/plan.js';
import { handOver } from '../../../src/exec/shell-variables.js';
import { numberOf, type Target } from '../target.js';

/*
 * What exec mode hands to its launcher. The launcher's reading is said a second time here; the launcher itself reads samples in
 * test/native-free.
 */

/** A plan as the launcher cuts it: `${ag_plan%%…}` and `#*`, on bytes. `undefined` for one that it takes for cut off. */
function readPlan(plan: string): readonly string[] | undefined {
  const [first = ''] = plan.split('\n', 1);
  const separator = `\n${first}\n`;
  const end = `\n${first}.`;
  if (first === '' || !plan.endsWith(`${separator}.${end}`)) return undefined;
  const fields: string[] = [];
  let rest = plan.slice(first.length + 1, -end.length);
  while (rest !== '.') {
    const at = rest.indexOf(separator);
    if (at < 0) return undefined;
    fields.push(rest.slice(0, at));
    rest = rest.slice(at + separator.length);
  }
  return fields;
}

const PIECES = [
  '-',
  '--',
  '-\n',
  '\n-\n',
  '\n',
  '.',
  '\n.',
  '=',
  ' ',
  'A=b',
  'PWD=/',
  'PATH=',
  'UID',
  '\0',
  'ü',
  'ACL_GROUPS=a,b',
  'acl-groups 2',
];
const text = fc
  .array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 4 })), { maxLength: 12 })
  .map((pieces) => pieces.join(''));

/** An environment, from which come all texts of a plan: bytes, one character each. */
export const plan: Target = {
  name: 'plan',
  inputs: text.map((input) => Buffer.from(input).toString('latin1')),
  tokens: PIECES,
  check(input) {
    const environment = parseEnvironment(input);
    const { unset, variables, lost } = handOver({ environment, whole: true }, () => true);
    const [program = '', addition = ''] = input.split('\0');
    const keys = numberOf(input, 1, 3);
    const bytes = formatPlan({
      status: 0,
      optionWords: keys,
      program: Buffer.from(program, 'latin1').toString(),
      unset,
      keys: keys === 0 ? undefined : keys === 1 ? 'unchanged' : Buffer.from(addition, 'latin1'),
      addition: Buffer.from(addition, 'latin1').toString(),
      perl: lost === undefined ? undefined : { path: '/usr/bin/perl', variables },
    }).toString('latin1');
    const utf8 = (bytesOfText: string): string => Buffer.from(Buffer.from(bytesOfText, 'latin1').toString()).toString('latin1');
    const change = keys === 0 ? '' : keys === 1 ? 'unchanged' : `=${addition}`;
    const perl = lost === undefined ? [] : ['/usr/bin/perl', ...variables.map((variable) => variable.toString('latin1'))];
    const expected = ['0', String(keys), utf8(program), unset.join(' '), change, ...perl, '', utf8(addition)];
    strictEqual(JSON.stringify(readPlan(bytes)), JSON.stringify(expected));
    // A plan that is cut off anywhere is none.
    strictEqual(readPlan(bytes.slice(0, numberOf(input, 2, bytes.length))), undefined);
    for (const name of unset) ok(/^[A-Za-z_]\w*$/.test(name), `${name} is no name to a shell`);
  },
};

const moment = { identity: 'b0075-1d 24 700 5000', uptime: 360_000 };

/** Entries of the launcher's cache: the fields one a piece between NULs; and any text as an entry. */
export const entry: Target = {
  name: 'cache entry',
  inputs: fc.oneof(
    text,
    fc.tuple(fc.constantFrom('alice', 'alice@example.com', '.x', 'a b', ''), text, text).map((fields) => fields.join('\0')),
    fc.constantFrom('acl-groups 2\nb0075-1d 24 700 5000\n360000 363000\n', 'acl-groups 2\nb0075-1d 24 700 5000\n0 99999999\nalice \n'),
  ),
  tokens: [...PIECES, 'b0075-1d 24 700 5000', '360000', '363000', '1e9', 'NaN', '-1', ' '],
  check(input) {
    const [user = '', systemUser = '', value] = input.split('\0');
    const written = formatEntry({ user, systemUser, moment, until: 363_000, optionWords: ['-p', systemUser], unset: ['PWD'], value });
    if (written !== undefined) {
      const lines = written.split('\n');
      strictEqual(lines.length, 9);
      const [format, identity, times, names, options, unset, groups, end, rest] = lines;
      strictEqual(
        JSON.stringify([format, identity, times, names, options, unset, groups, end, rest]),
        JSON.stringify([
          'acl-groups 2',
          moment.identity,
          '360000 363000',
          `${user} ${systemUser}`,
          `-p ${systemUser}`,
          'PWD',
          value ?? '',
          value === undefined ? 'unknown.' : '.',
          '',
        ]),
      );
      ok(/^\w[\w@.+-]*$/.test(user), 'a user that is no name of a file');
      strictEqual(isExpired(written, moment), false);
      strictEqual(isExpired(written, { ...moment, uptime: 363_000 }), true);
      strictEqual(isExpired(written.slice(0, numberOf(input, 1, 47)), moment), true);
    }
    const [format, identity, times = ''] = input.split('\n', 3);
    if (format !== 'acl-groups 2' || identity !== moment.identity || !/\d/.test(times)) strictEqual(isExpired(input, moment), true);
  },
};
