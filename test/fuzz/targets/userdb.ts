import { ok, strictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { AndFilter, BindRequest, EqualityFilter, type Filter, PresenceFilter, SearchRequest } from 'ldapts';
import type { Step } from '../../../src/doors/door.js';
import { userdb as door } from '../../../src/doors/userdb/door.js';
import { UsageError } from '../../../src/support/errors.js';
import { inPieces, type Target } from '../target.js';

const equals = (attribute: string, value: string): EqualityFilter => new EqualityFilter({ attribute, value });
const search = (filter: Filter, baseDN = 'dc=acl-groups'): string =>
  new SearchRequest({ messageId: 7, baseDN, scope: 'sub', filter, attributes: ['aclGroups'] }).write().toString('latin1');

const MESSAGES = [
  new BindRequest({ messageId: 1, dn: '', password: '' }).write().toString('latin1'),
  search(new AndFilter({ filters: [equals('uid', 'alice'), equals('account', 'alice'), equals('aclGroups', 'x'.repeat(300))] })),
  search(new AndFilter({ filters: [equals('uid', 'bob'), equals('field', 'plugin/acl_groups=a'), equals('clientIp', '::1')] })),
  search(equals('uid', 'jürgen')),
  search(new PresenceFilter({ attribute: 'objectClass' })),
  search(new PresenceFilter({ attribute: 'objectClass' }), 'cn=monitor'),
  '0\x06\x02\x01\x09\x50\x01\x07',
  '0\x05\x02\x01\x05\x42\0',
];

const mutated = fc
  .tuple(fc.constantFrom(...MESSAGES), fc.array(fc.tuple(fc.nat(400), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }), fc.nat(400))
  .map(([text, changes, length]) => {
    const copy = Buffer.from(text, 'latin1');
    for (const [at, value] of changes) copy[at % copy.length] = value;
    return (length % 3 === 0 ? copy.subarray(0, length % copy.length) : copy).toString('latin1');
  });
const noise = fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes).toString('latin1'));

/** One element of BER, read a second time and differently: by places in the whole text. */
interface Part {
  readonly tag: number;
  readonly from: number;
  readonly to: number;
}

function partAt(bytes: Buffer, at: number, end: number): Part | undefined {
  const [tag, first] = [bytes[at], bytes[at + 1]];
  if (tag === undefined || first === undefined || at + 2 > end) return undefined;
  const long = first > 0x7f ? first - 0x80 : 0;
  const length = long === 0 ? first : bytes.subarray(at + 2, at + 2 + long).reduce((sum, byte) => sum * 256 + byte, 0);
  const from = at + 2 + long;
  return from + length > end ? undefined : { tag, from, to: from + length };
}

function partsOf(bytes: Buffer, { from, to }: Part): readonly Part[] {
  const parts: Part[] = [];
  for (let at = from; at < to; ) {
    const part = partAt(bytes, at, to);
    if (part === undefined) return [];
    parts.push(part);
    at = part.to;
  }
  return parts;
}

/** The values of uid that the filters of all searches in a text compare with, as bytes. */
function usersIn(bytes: Buffer): readonly string[] {
  const text = ({ from, to }: Part): string => bytes.subarray(from, to).toString('latin1');
  const users: string[] = [];
  for (let at = 0; ; ) {
    const message = partAt(bytes, at, bytes.length);
    if (message === undefined) return users;
    at = message.to;
    const operation = partsOf(bytes, message)[1];
    const filter = operation?.tag === 0x63 ? partsOf(bytes, operation)[6] : undefined;
    if (filter === undefined) continue;
    for (const one of filter.tag === 0xa0 ? partsOf(bytes, filter) : [filter]) {
      const [attribute, value] = one.tag === 0xa3 ? partsOf(bytes, one) : [];
      if (attribute !== undefined && value !== undefined && text(attribute).toLowerCase() === 'uid') users.push(text(value));
    }
  }
}

function stepsOf(pieces: readonly Buffer[]): readonly Step[] {
  const conversation = door.open();
  const steps: Step[] = [];
  for (const piece of pieces) {
    if (steps.at(-1)?.kind === 'end') break;
    steps.push(...conversation.push(piece));
  }
  return steps;
}

const kindsOf = (steps: readonly Step[]): string => steps.map(({ kind }) => kind).join();

/** LDAP, as Dovecot's auth process speaks it. */
export const userdb: Target = {
  name: 'userdb',
  inputs: fc
    .array(
      fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...MESSAGES) }, { weight: 4, arbitrary: mutated }, { weight: 1, arbitrary: noise }),
      {
        minLength: 1,
        maxLength: 4,
      },
    )
    .map((pieces) => pieces.join('')),
  tokens: [...MESSAGES, '\x30\x84\0\0\0\x10', '\x04\0', '\xa3\x08\x04\x03uid\x04\x01x', '\x02\x01\0', '\x80', '\xff'],
  check(input) {
    const bytes = Buffer.from(input, 'latin1');
    const steps = stepsOf([bytes]);
    strictEqual(kindsOf(stepsOf(inPieces(bytes, input))), kindsOf(steps));
    ok(!steps.slice(0, -1).some(({ kind }) => kind === 'end'), 'goes on after the end');
    const users = usersIn(bytes);
    for (const step of steps) {
      if (step.kind === 'reply') ok(!step.reply.includes('\x04\x09aclGroups'), 'groups for nobody');
      if (step.kind !== 'login') continue;
      try {
        const { name } = step.facts();
        ok(users.includes(Buffer.from(name).toString('latin1')), `a login of ${JSON.stringify(name)}, whom no filter names`);
      } catch (error) {
        ok(error instanceof UsageError && error.message.endsWith('is not valid UTF-8'), String(error));
      }
      const denied = Buffer.from(step.reply({ verdict: 'deny', text: 'no' }) ?? '', 'latin1');
      const [, operation] = partsOf(denied, partAt(denied, 0, denied.length) ?? { tag: 0, from: 0, to: 0 });
      strictEqual(operation?.tag, 0x65);
      strictEqual(denied[operation.from + 2], 51);
      ok(!step.reply({ verdict: 'unknown', text: '' })?.includes('uid='), 'an entry for an unknown user');
    }
  },
};
