import fc from 'fast-check';
import {
  AndFilter,
  BerReader,
  BerWriter,
  BindRequest,
  EqualityFilter,
  type Filter,
  OrFilter,
  PresenceFilter,
  SearchRequest,
  SubstringFilter,
} from 'ldapts';
import { describe, expect, it } from 'vitest';
import type { Conversation, Outcome, Step } from '../../../src/doors/door.js';
import { userdb } from '../../../src/doors/userdb/door.js';
import { bytesOf } from '../../../src/support/text.js';

/*
 * Requests are written by ldapts, and responses read by a reader of this file: neither shares code with the door's own.
 */

function written(message: { write(): Buffer }): Buffer {
  return message.write();
}

function searchFor(filter: Filter, more: Partial<ConstructorParameters<typeof SearchRequest>[0]> = {}): Buffer {
  return written(new SearchRequest({ messageId: 7, baseDN: 'dc=acl-groups', scope: 'sub', filter, attributes: ['aclGroups'], ...more }));
}

const equals = (attribute: string, value: string): EqualityFilter => new EqualityFilter({ attribute, value });

/** The steps of one message. */
function stepsOf(bytes: Buffer, conversation: Conversation = userdb.open()): readonly Step[] {
  return conversation.push(bytes);
}

function only(steps: readonly Step[]): Step {
  expect(steps).toHaveLength(1);
  const [step] = steps;
  if (step === undefined) throw new Error('no step');
  return step;
}

function loginOf(filter: Filter): Extract<Step, { kind: 'login' }> {
  const step = only(stepsOf(searchFor(filter)));
  if (step.kind !== 'login') throw new Error(`a step of kind ${step.kind}`);
  return step;
}

interface Response {
  readonly id: number;
  readonly tag: number;
  readonly code?: number;
  readonly text?: string;
  readonly dn?: string;
  readonly attributes?: Readonly<Record<string, readonly string[]>>;
}

/** Reads responses as a client would. */
function responses(latin1: string): readonly Response[] {
  const bytes = Buffer.from(latin1, 'latin1');
  const found: Response[] = [];
  for (let at = 0; at < bytes.length; ) {
    const reader = new BerReader(bytes.subarray(at));
    reader.readSequence(0x30);
    const end = at + reader.offset + reader.length;
    const id = reader.readInt() ?? Number.NaN;
    const tag = reader.readSequence() ?? Number.NaN;
    if (tag === 0x64) {
      const dn = reader.readString() ?? '';
      reader.readSequence(0x30);
      const attributes: Record<string, string[]> = {};
      while (at + reader.offset < end) {
        reader.readSequence(0x30);
        const name = reader.readString() ?? '';
        reader.readSequence(0x31);
        const last = reader.offset + reader.length;
        const values: string[] = [];
        while (reader.offset < last) values.push(reader.readString() ?? '');
        attributes[name] = values;
      }
      found.push({ id, tag, dn, attributes });
    } else {
      const code = reader.readEnumeration() ?? Number.NaN;
      reader.readString();
      found.push({ id, tag, code, text: reader.readString() ?? '' });
    }
    at = end;
  }
  return found;
}

function replyTo(bytes: Buffer): readonly Response[] {
  const step = only(stepsOf(bytes));
  if (step.kind !== 'reply') throw new Error(`a step of kind ${step.kind}`);
  return responses(step.reply);
}

const granted = (value: string): Outcome => ({ verdict: 'grant', text: bytesOf(value) });

/** A message with an operation of any tag and content. */
function message(id: number, tag: number, content: Buffer, controls?: Buffer): Buffer {
  const writer = new BerWriter();
  writer.startSequence();
  writer.writeInt(id);
  writer.writeBuffer(content, tag);
  if (controls !== undefined) writer.writeBuffer(controls, 0xa0);
  writer.endSequence();
  return writer.buffer;
}

describe('a search', () => {
  it('states the facts of a login', () => {
    const login = loginOf(
      new AndFilter({
        filters: [
          equals('field', 'quota_rule=*:storage=1G'),
          equals('UID', 'alice@example.com'),
          equals('account', 'alice'),
          equals('aclGroups', 'old,"Domain Users"'),
          equals('clientIp', '192.0.2.1'),
          equals('localip', '192.0.2.2'),
          equals('service', 'imap'),
          equals('masterUser', 'admin'),
          equals('field', 'Mail=maildir:~'),
        ],
      }),
    );
    expect(login.id).toBe(7);
    expect(login.facts()).toEqual({
      name: 'alice@example.com',
      remoteIp: '192.0.2.1',
      localIp: '192.0.2.2',
      fields: new Map([
        ['quota_rule', '*:storage=1G'],
        ['mail', 'maildir:~'],
        ['system_groups_user', 'alice'],
        ['acl_groups', 'old,"Domain Users"'],
        ['service', 'imap'],
        ['master_user', 'admin'],
      ]),
    });
  });

  it('takes a fact without a value for one that is not stated', () => {
    const { facts } = loginOf(new AndFilter({ filters: [equals('uid', 'bob'), equals('account', ''), equals('clientIp', '')] }));
    expect(facts()).toEqual({ name: 'bob', localIp: '', remoteIp: '', fields: new Map() });
  });

  it('carries any user and any value, as bytes', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), fc.nat(), (user, value, messageId) => {
        const login = only(stepsOf(searchFor(equals('uid', user), { messageId, attributes: ['uid', 'aclGroups'] })));
        if (login.kind !== 'login') throw new Error('no login');
        expect(login.facts().name).toBe(user);
        const [entry, done] = responses(login.reply(granted(value)) ?? '');
        expect(entry).toMatchObject({ id: messageId, attributes: { uid: [user], aclGroups: [value] } });
        expect(done).toEqual({ id: messageId, tag: 0x65, code: 0, text: '' });
      }),
      { numRuns: 2000 },
    );
  });

  it('finds an entry for a known user, none for an unknown one, and is busy where the login has to be denied', () => {
    const { reply } = loginOf(equals('uid', 'a,b+c " #<>;=\\ '));
    expect(responses(reply(granted('')) ?? '')).toEqual([
      { id: 7, tag: 0x64, dn: 'uid=a\\2cb\\2bc \\22 #\\3c\\3e\\3b\\3d\\5c\\20,dc=acl-groups', attributes: { aclGroups: [''] } },
      { id: 7, tag: 0x65, code: 0, text: '' },
    ]);
    expect(responses(reply({ verdict: 'unknown', text: '' }) ?? '')).toEqual([{ id: 7, tag: 0x65, code: 0, text: '' }]);
    expect(responses(reply({ verdict: 'deny', text: 'ldap: no ünswer' }) ?? '')).toEqual([
      { id: 7, tag: 0x65, code: 51, text: 'ldap: no ünswer' },
    ]);
  });

  it.each([
    [[], { objectClass: ['top', 'account'], uid: ['x'], aclGroups: ['g'] }],
    [['*'], { objectClass: ['top', 'account'], uid: ['x'], aclGroups: ['g'] }],
    [['1.1'], {}],
    [['ACLGROUPS', 'mail'], { aclGroups: ['g'] }],
  ])('returns the attributes %j', (attributes, expected) => {
    const step = only(stepsOf(searchFor(equals('uid', 'x'), { attributes })));
    if (step.kind !== 'login') throw new Error('no login');
    expect(responses(step.reply(granted('g')) ?? '')[0]?.attributes).toEqual(expected);
  });

  const EXPECTED =
    'expected (uid=%{user}), alone or in an AND with (account=), (aclGroups=), (clientIp=), (localIp=), (service=), (masterUser=) and (field=name=value)';
  it.each<[string, Filter, string]>([
    ['an OR', new OrFilter({ filters: [equals('uid', 'x')] }), 'found something other than equality'],
    ['a substring', new SubstringFilter({ attribute: 'uid', initial: 'x' }), 'found something other than equality'],
    ['presence', new PresenceFilter({ attribute: 'uid' }), 'found something other than equality'],
    ['no user', equals('account', 'x'), 'found no value for uid'],
    ['an empty user', equals('uid', ''), 'found no value for uid'],
    ['two users', new AndFilter({ filters: [equals('uid', 'x'), equals('uid', 'y')] }), 'found uid twice'],
    [
      'another attribute',
      new AndFilter({ filters: [equals('uid', 'x'), equals('mail', 'y')] }),
      'found an attribute that is none of these',
    ],
  ])('refuses %s', (_, filter, found) => {
    expect(replyTo(searchFor(filter))).toEqual([{ id: 7, tag: 0x65, code: 53, text: `${EXPECTED}; ${found}` }]);
  });

  it.each<[string, Filter]>([
    ['by presence', new PresenceFilter({ attribute: 'objectClass' })],
    ['by value', equals('objectclass', 'none')],
  ])('finds nobody by objectClass alone (%s): that is how Dovecot lists users', (_, filter) => {
    expect(replyTo(searchFor(filter))).toEqual([{ id: 7, tag: 0x65, code: 0, text: '' }]);
  });

  it('refuses a user whose name is not UTF-8', () => {
    const login = only(stepsOf(searchFor(new EqualityFilter({ attribute: 'uid', value: Buffer.from([0x61, 0xff]) }))));
    if (login.kind !== 'login') throw new Error('no login');
    expect(() => login.facts()).toThrow('the user name is not valid UTF-8');
  });

  it('knows its own bases only', () => {
    expect(replyTo(searchFor(equals('uid', 'x'), { baseDN: 'dc=example' }))).toEqual([
      { id: 7, tag: 0x65, code: 32, text: 'there are "dc=acl-groups" and "cn=monitor"' },
    ]);
    expect(only(stepsOf(searchFor(equals('uid', 'x'), { baseDN: 'DC = ACL-Groups' }))).kind).toBe('login');
    const [root] = replyTo(searchFor(new PresenceFilter({ attribute: 'objectClass' }), { baseDN: '', scope: 'base', attributes: ['+'] }));
    expect(root?.attributes).toMatchObject({ namingContexts: ['dc=acl-groups'], supportedLDAPVersion: ['3'] });
    const [base] = replyTo(searchFor(new PresenceFilter({ attribute: 'objectClass' }), { scope: 'base', attributes: [] }));
    expect(base).toMatchObject({ dn: 'dc=acl-groups', attributes: { dc: ['acl-groups'] } });
  });

  it.each([' ', '=', ', ', ' = '])('says so as well for a base of nothing but "%s"', (piece) => {
    expect(replyTo(searchFor(equals('uid', 'x'), { baseDN: piece.repeat(60_000 / piece.length) }))).toMatchObject([{ code: 32 }]);
  });

  it('shows what the service tells of itself as cn=monitor', () => {
    const step = only(
      stepsOf(searchFor(new PresenceFilter({ attribute: 'objectClass' }), { baseDN: 'cn=Monitor', scope: 'base', attributes: [] })),
    );
    if (step.kind !== 'monitor') throw new Error('no monitor');
    expect(responses(step.reply({ logins: 3, providerErrors: ['ldap 1', 'ünix 2'] }))[0]).toMatchObject({
      dn: 'cn=monitor',
      attributes: { cn: ['monitor'], logins: ['3'], providerErrors: ['ldap 1', 'ünix 2'] },
    });
  });
});

describe('what is no search', () => {
  it.each([
    ['anonymously', '', '', 0],
    ['with a password', 'uid=alice,dc=acl-groups', 'secret', 49],
    ['with a password and no name', '', 'secret', 49],
    ['with a name and no password', 'uid=alice,dc=acl-groups', '', 53],
  ])('binds %s', (_, dn, password, code) => {
    expect(replyTo(written(new BindRequest({ messageId: 3, dn, password })))).toMatchObject([{ id: 3, tag: 0x61, code }]);
  });

  it.each([
    ['a bind of version 2', 0x60, '02010204008000', 0x61, 2],
    ['a SASL bind', 0x60, '0201030400a30a040845585445524e414c', 0x61, 7],
    ['a modify', 0x66, '0400', 0x67, 53],
    ['an add', 0x68, '0400', 0x69, 53],
    ['a delete', 0x4a, '', 0x6b, 53],
    ['a rename', 0x6c, '0400', 0x6d, 53],
    ['a compare', 0x6e, '0400', 0x6f, 53],
    ['an extended operation', 0x77, '8000', 0x78, 2],
  ])('refuses %s by the result of RFC 4511', (_, tag, content, responseTag, code) => {
    expect(replyTo(message(5, tag, Buffer.from(content, 'hex')))).toMatchObject([{ id: 5, tag: responseTag, code }]);
  });

  it('refuses a critical control, and takes one that is not', () => {
    const control = (critical: string): Buffer => Buffer.from(`30080403312e32${critical}`, 'hex');
    expect(replyTo(message(5, 0x60, Buffer.from('02010304008000', 'hex'), control('0101ff')))).toMatchObject([{ code: 12 }]);
    expect(replyTo(message(5, 0x60, Buffer.from('02010304008000', 'hex'), control('010100')))).toMatchObject([{ code: 0 }]);
  });

  it('unbinds without a word, and passes an abandon on', () => {
    expect(stepsOf(message(5, 0x42, Buffer.alloc(0)))).toEqual([{ kind: 'end' }]);
    expect(stepsOf(message(5, 0x50, Buffer.from([7])))).toEqual([{ kind: 'abandon', id: 7 }]);
  });
});

describe('the decoder', () => {
  const valid = [
    written(new BindRequest({ messageId: 1, dn: '', password: '' })),
    searchFor(new AndFilter({ filters: [equals('uid', 'alice'), equals('account', 'alice'), equals('aclGroups', 'x'.repeat(300))] })),
    message(9, 0x50, Buffer.from([7])),
  ];
  const all = Buffer.concat(valid);

  it('reads messages that are cut at any byte', () => {
    const whole = stepsOf(all).map(({ kind }) => kind);
    expect(whole).toEqual(['reply', 'login', 'abandon']);
    for (let cut = 0; cut <= all.length; cut++) {
      const conversation = userdb.open();
      const kinds = [...conversation.push(all.subarray(0, cut)), ...conversation.push(all.subarray(cut))].map(({ kind }) => kind);
      expect(kinds).toEqual(whole);
      expect(conversation.partial).toBe(false);
    }
  });

  it.each([
    ['what is no sequence', 'GET / HTTP/1.1', 'a message does not start with the tag of a sequence'],
    ['an indefinite length', '\x30\x80\x02\x01\x01', 'a message has no length that LDAP allows'],
    ['too long a message', '\x30\x84\x10\x00\x00\x00', 'a message is longer than 262144 bytes'],
    ['a length of 2 GiB within', '\x30\x0a\x02\x01\x01\x60\x84\xff\xff\xff\xff\x00', 'an element is longer than what holds it'],
  ])('ends the connection on %s', (_, bytes, refused) => {
    expect(stepsOf(Buffer.from(bytes, 'latin1'))).toMatchObject([{ kind: 'end', refused }]);
  });

  it('survives anything, answers no nonsense, and keeps no more than a message', () => {
    const mutated = fc
      .tuple(fc.constantFrom(...valid), fc.array(fc.tuple(fc.nat(400), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }), fc.nat(400))
      .map(([bytes, changes, length]) => {
        const copy = Buffer.from(bytes);
        for (const [at, value] of changes) copy[at % copy.length] = value;
        return length % 3 === 0 ? copy.subarray(0, length % copy.length) : copy;
      });
    const noise = fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.array(fc.oneof(mutated, noise), { minLength: 1, maxLength: 4 }), (pieces) => {
        const conversation = userdb.open();
        let ended = false;
        for (const piece of pieces) {
          if (ended) break;
          for (const step of conversation.push(piece)) {
            expect(ended).toBe(false);
            ended = step.kind === 'end';
            if (step.kind === 'login') {
              // Whatever was changed, a login names somebody, and nobody is granted but by its outcome.
              try {
                expect(step.facts().name).not.toBe('');
              } catch (error) {
                expect(String(error)).toMatch(/is not valid UTF-8$/);
              }
              expect(responses(step.reply({ verdict: 'deny', text: 'no' }) ?? '')).toMatchObject([{ code: 51 }]);
            } else if (step.kind === 'reply') {
              for (const response of responses(step.reply)) expect(response.attributes?.aclGroups).toBeUndefined();
            }
          }
        }
      }),
      { numRuns: process.env.CI === 'true' ? 100_000 : 10_000 },
    );
  });
});
