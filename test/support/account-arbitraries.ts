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
    arbitrary: fc.constantFrom('-18446744073709551615', '99999999999999999999999', '\t7', '\r8', '0x9', '-', '+', '2147483648'),
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
  .array(fc.oneof({ weight: 9, arbitrary: member }, { weight: 1, arbitrary: fc.constantFrom('', ' ', '#', '\0') }), { maxLength: 6 })
  .map((list) => list.join(','));
const groupLine = fc.tuple(front, groupName, id, members).map(([mark, name, gid, list]) => `${mark}${name}:x:${gid}:${list}`);
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
        fc.constantFrom('\n', '\n', '\n', ''),
      )
      .map(([lines, end]) => lines.join('\n') + end)
      // glibc moves an indented line to the left, and forgets to move its end: only a last line without a newline shows it (nss_readline.c).
      .filter((text) => !/(^|\n)[ \t\v\f\r][^\n]*$/.test(text))
  );
}

const numbered = (text: string): string => text.split(UID).reduce((before, behind, n) => `${before}${100 + n}${behind}`);

export const accountFiles: fc.Arbitrary<AccountFiles> = fc.record({ passwd: file(passwdLine).map(numbered), group: file(groupLine) });
