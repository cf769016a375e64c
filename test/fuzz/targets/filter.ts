import { ok, strictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { BerWriter, type Filter } from 'ldapts';
import { parseFilter } from '../../../src/ldap/filter.js';
import { ConfigError } from '../../../src/support/errors.js';
import { numberOf, type Target } from '../target.js';

const ALLOWED = ['user', 'dn'];
const TOKENS = [
  '(',
  ')',
  '&',
  '|',
  '!',
  '=',
  '~=',
  '>=',
  '<=',
  ':=',
  ':dn:',
  '*',
  '\\',
  '\\2a',
  '\\ff',
  '\\c3\\bc',
  '{user}',
  '{dn}',
  '{',
  '}',
  ' ',
  '\n',
  'ü',
  '(a=b)',
];
const RULE = ':1.2.840.113556.1.4.1941:=';
const attribute = fc.constantFrom('uid', 'cn', 'objectClass', 'member', 'x-y;lang-de', '2.5.4.3', 'a b', '');
const operator = fc.constantFrom('=', '=', '=', '~=', '>=', '<=', RULE, ':dn:=', ':');
const assertion = fc
  .array(fc.constantFrom('a', 'alice', '{user}', '{dn}', '*', '\\2a', '\\c3\\bc', '\\ff', ' ', 'ü', '{typo}', '\\7b', '\\zz', '', '😀'), {
    maxLength: 4,
  })
  .map((pieces) => pieces.join(''));
const { filter } = fc.letrec<{ filter: string }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 4 },
    fc.tuple(attribute, operator, assertion).map(([name, compares, value]) => `(${name}${compares}${value})`),
    fc.tuple(fc.constantFrom('&', '|'), fc.array(tie('filter'), { maxLength: 3 })).map(([sign, parts]) => `(${sign}${parts.join('')})`),
    tie('filter').map((inner) => `(!${inner})`),
  ),
}));

function bytesOf(filled: Filter): Buffer {
  const writer = new BerWriter();
  filled.write(writer);
  return writer.buffer;
}

/** The tags of a filter's elements, by depth; of what they hold, nothing. */
function shapeOf(bytes: Buffer, from = 0, to = bytes.length): string {
  let shape = '';
  for (let at = from; at < to; ) {
    const tag = bytes[at] ?? 0;
    const first = bytes[at + 1] ?? 0;
    const long = first > 0x7f ? first - 0x80 : 0;
    const length = long === 0 ? first : bytes.readUIntBE(at + 2, long);
    const start = at + 2 + long;
    shape += tag & 0x20 ? `${tag.toString(16)}(${shapeOf(bytes, start, start + length)})` : tag.toString(16);
    at = start + length;
    ok(at <= to, 'an element reaches beyond its parent');
  }
  return shape;
}

const VALUES = ['*', ')(uid=*', '\\2a', '\0', 'ü', '{dn}', '(&', ' ', '\ue001', '😀', 'x'.repeat(200)];

/** Filters of the configuration; texts, not bytes. */
export const filterTemplate: Target = {
  name: 'filter',
  inputs: fc.oneof(
    { weight: 4, arbitrary: filter },
    { weight: 1, arbitrary: fc.array(fc.constantFrom(...TOKENS), { maxLength: 12 }).map((t) => t.join('')) },
  ),
  tokens: TOKENS,
  check(text) {
    let template: ReturnType<typeof parseFilter>;
    try {
      template = parseFilter(text, ALLOWED, 'user_filter');
    } catch (error) {
      ok(error instanceof ConfigError && error.message.startsWith('user_filter: '), String(error));
      return;
    }
    // Whatever is filled in, the tree is the same, and the value stands in it as it is.
    const plain = template.fill({ user: ['x'], dn: ['x'] });
    const value = VALUES[numberOf(text, 3, VALUES.length)] ?? '';
    const odd = template.fill({ user: [value], dn: [value] });
    ok(plain !== undefined && odd !== undefined, 'a filter with all its values matches nothing');
    strictEqual(shapeOf(bytesOf(odd)), shapeOf(bytesOf(plain)));
    if (template.placeholders.size > 0) ok(bytesOf(odd).includes(value), 'a value has changed');
    template.fill({});
    template.fillAny('dn', ['a', value]);
  },
};
