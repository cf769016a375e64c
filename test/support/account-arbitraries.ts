import fc from 'fast-check';

/** Account files as they are, and as they shouldn't be. Texts are "binary", one character a byte. */
export interface AccountFiles {
  readonly passwd: string;
  readonly group: string;
}

const utf8 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

/** Accounts that lines are made of; more of them are looked up than exist. */
export const ACCOUNTS: readonly string[] = ['alice', 'al', 'alice2', 'bob.b', 'jürgen', 'x y', '日本', 'q$', '0x1', 'root'];

const account = fc.constantFrom(...ACCOUNTS.map(utf8));
const groupName = fc.constantFrom(
  'staff',
  'acct',
  'Domain Users',
  utf8('bücher'),
  'a,b',
  'x"y',
  'C\\d',
  '%u',
  '\xff\xfe',
  'g'.repeat(300),
  'nul\0behind',
  'tab\tinside',
  ' ',
  '',
);
const id = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 0, max: 12 }).map(String) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '',
      ' 5',
      '+5',
      '-1',
      '-0',
      '005',
      '5 ',
      '5x',
      '4294967295',
      '4294967294',
      '4294967296',
      '18446744073709551616',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '-18446744073709551615',
      '99999999999999999999999',
      '\t7',
      '\r8',
      '0x9',
      '-',
      '+',
      '2147483648',
      '3\0',
      '\0',
      '5\r',
      '--5',
      '+-5',
      `${'0'.repeat(2000)}4`,
    ),
  },
);
const front = fc.oneof(
  { weight: 12, arbitrary: fc.constant('') },
  { weight: 1, arbitrary: fc.constantFrom('#', '+', '-', ' ', '\t', ' #', ' +', ':', '\v\f\r') },
);
const rest = fc.oneof(
  { weight: 12, arbitrary: fc.constant('gecos:/home:/bin/sh') },
  { weight: 1, arbitrary: fc.constantFrom('', ':', 'a:b:c:d:e', '\0:x') },
);

// id(1) looks a name's number up again as a number, so that it is sure of a name only if no other account has its number.
const UID = '{uid}';
const uid = fc.oneof(
  { weight: 12, arbitrary: fc.constant(UID) },
  { weight: 1, arbitrary: fc.constantFrom('', `${UID}x`, ` ${UID}`, `+${UID}`, `00${UID}`, `${UID} `) },
);
const passwdLine = fc
  // A primary group (gid_t)-1 is where id stops.
  .tuple(
    front,
    account,
    uid,
    id.filter((gid) => !/^-\d|^\d{10}/.test(gid) || gid === '-0'),
    rest,
  )
  .map(([mark, name, number, gid, tail]) => `${mark}${name}:x:${number}:${gid}:${tail}`);
const member = fc
  .tuple(fc.constantFrom('', '', '', '', ' ', '\t'), account, fc.constantFrom('', '', '', '', ' ', '\r', ':x'))
  .map((parts) => parts.join(''));
const members = fc
  .array(
    fc.oneof({ weight: 9, arbitrary: member }, { weight: 1, arbitrary: fc.constantFrom('', ' ', '#', '\0', '\xff\xfe', '\v', '+', '-') }),
    { maxLength: 6 },
  )
  .map((list) => list.join(','));
// Longer than the buffers that getgrgid(3) and getent(1) begin with.
const manyMembers = fc
  .tuple(members, fc.constantFrom(100, 1000, 20_000), members)
  .map(([before, count, behind]) => `${before},${'someone,'.repeat(count)}${behind}`);
const groupLine = fc
  .tuple(front, groupName, id, fc.oneof({ weight: 30, arbitrary: members }, { weight: 1, arbitrary: manyMembers }))
  .map(([mark, name, gid, list]) => `${mark}${name}:x:${gid}:${list}`);
const oddLine = fc.constantFrom(
  '',
  ' ',
  '#',
  '+',
  '-',
  '+:::',
  '+:::alice',
  '+::::::',
  '-alice',
  'alice',
  'alice:',
  'alice:x',
  'alice:x:1',
  'alice:x:1:',
  ':',
  '::::',
  '\0',
  'g:x:5',
  'g:x:5:',
  '+g:x:x:alice',
  '-g::3:alice',
  '+@net::::::',
);

function file(line: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return (
    fc
      .tuple(
        fc.array(fc.oneof({ weight: 9, arbitrary: line }, { weight: 1, arbitrary: oddLine }), { maxLength: 12 }),
        fc.constantFrom('\n', '\n', '\n', '', '\r\n', '\0', '\0\n', '\n\n'),
        fc.constantFrom('\n', '\n', '\n', '\r\n'),
      )
      .map(([lines, end, between]) => lines.join(between) + end)
      // glibc moves an indented line to the left, and forgets to move its end: only a line without a newline, or with a NUL, shows it (nss_readline.c).
      .filter((text) => !/(^|\n)[ \t\v\f\r][^\n]*($|\0)/.test(text))
  );
}

const numbered = (text: string): string => text.split(UID).reduce((before, behind, n) => `${before}${100 + n}${behind}`);

export const accountFiles: fc.Arbitrary<AccountFiles> = fc.record({ passwd: file(passwdLine).map(numbered), group: file(groupLine) });

const blank = fc.constantFrom('', '', ' ', '\t', '\v');
const action = fc
  .tuple(
    fc.constantFrom('', '', '!'),
    fc.constantFrom('SUCCESS', 'NOTFOUND', 'UNAVAIL', 'TRYAGAIN', 'success', 'Unavail'),
    fc.constantFrom('=', '=', ' = '),
    fc.constantFrom('return', 'continue', 'CONTINUE'),
  )
  .map((parts) => parts.join(''));
const brackets = fc.oneof(
  { weight: 6, arbitrary: fc.array(action, { minLength: 1, maxLength: 3 }).map((actions) => `[${actions.join(' ')}]`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '[',
      ']',
      '[]',
      '[SUCCESS]',
      '[UNAVAIL return]',
      '[UNAVAIL=stop]',
      '[NONE=return]',
      '[UNAVAIL=returnSUCCESS=return]',
    ),
  },
);
const service = fc
  .tuple(
    fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom('files', 'nosuch') },
      { weight: 1, arbitrary: fc.constantFrom('FILES', '#', '#files', '\0', '\r', '\v', ':', '\xa0files', '') },
    ),
    blank,
    fc.oneof({ weight: 1, arbitrary: fc.constant('') }, { weight: 1, arbitrary: brackets }),
  )
  .map((parts) => parts.join(''));
const database = fc.oneof(
  { weight: 8, arbitrary: fc.constant('group') },
  { weight: 1, arbitrary: fc.constantFrom('passwd', 'initgroups', 'hosts', 'sudoers', 'GROUP', 'group2', '#group', '#', '') },
);
const nsswitchLine = fc
  .tuple(
    blank,
    database,
    fc.constantFrom(':', ': ', ': ', ' : ', ':\t', ' ', '::', ''),
    fc.array(service, { maxLength: 3 }),
    fc.constantFrom(' ', ' ', ' ', ''),
  )
  .map(([front, name, colon, services, between]) => `${front}${name}${colon}${services.join(between)}`);

/** nsswitch.conf as it is, and as it shouldn't be, about the services `files` and `nosuch`, which isn't installed. */
export const nsswitchFiles: fc.Arbitrary<string> = fc
  .tuple(
    fc.array(
      fc.oneof(
        { weight: 9, arbitrary: nsswitchLine },
        { weight: 1, arbitrary: fc.constantFrom('', ' ', '# group: nosuch', 'group', ':', '\0group: nosuch') },
      ),
      { maxLength: 3 },
    ),
    fc.constantFrom('\n', '\n', '\n', '', '\r\n', '\0\n'),
  )
  .map(([lines, end]) => lines.join('\n') + end);
