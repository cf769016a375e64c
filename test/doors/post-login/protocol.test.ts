import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createRequestParser,
  factsOf,
  formatReply,
  formatRequest,
  type ProtocolRequest,
  parseReply,
  VERSION_LINE,
} from '../../../src/doors/post-login/protocol.js';
import { bytesOf } from '../../../src/support/text.js';
import { checkRequests, parseRequests, postLogin } from '../../fuzz/targets/post-login.js';

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');

const parse = (text: string): ReturnType<typeof parseRequests> => parseRequests([latin1(text)]);

const ALICE: ProtocolRequest = {
  localIp: '127.0.0.1',
  remoteIp: '::1',
  user: 'alice',
  fields: ['uid=1000', 'nologin', 'home=/home/alice'],
};
const LINE = '127.0.0.1\t::1\talice\tuid=1000\tnologin\thome=/home/alice\n';

describe('createRequestParser', () => {
  it('reads what a mail process sends', () => {
    expect(parse(VERSION_LINE + LINE)).toEqual({ requests: [ALICE], error: undefined });
  });

  it('reads a request that is cut at any byte, or at every byte', () => {
    const bytes = latin1(VERSION_LINE + LINE);
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(parseRequests([bytes.subarray(0, cut), bytes.subarray(cut)]).requests).toEqual([ALICE]);
    }
    expect(parseRequests([...bytes].map((byte) => Buffer.of(byte))).requests).toEqual([ALICE]);
  });

  it('reads several requests at once', () => {
    expect(parse(VERSION_LINE + LINE + LINE + LINE)).toEqual({ requests: [ALICE, ALICE, ALICE], error: undefined });
  });

  it('takes any minor version, and clients without an IP address', () => {
    expect(parse('VERSION\tscript-login\t1\t17\n\t\tbob\n')).toEqual({
      requests: [{ localIp: '', remoteIp: '', user: 'bob', fields: [] }],
      error: undefined,
    });
  });

  it.each([
    ['another protocol', 'GET / HTTP/1.1\r\n', 'the first line is not that of the script-login protocol, version 1'],
    ['another major version', 'VERSION\tscript-login\t2\t0\n', 'the first line is not that of the script-login protocol, version 1'],
    ['a long first line', 'x'.repeat(65), 'the first line is too long for the script-login protocol'],
    ['no user', `${VERSION_LINE}1.2.3.4\t1.2.3.4\n`, 'a request names no user'],
    ['an empty user', `${VERSION_LINE}1.2.3.4\t1.2.3.4\t\tuid=0\n`, 'a request names no user'],
    ['no addresses', `${VERSION_LINE}alice\tuid=1\tx=y\n`, 'a request does not start with two IP addresses'],
    ['a NUL', `${VERSION_LINE}\t\talice\0\n`, 'a request holds a byte that Dovecot would have escaped'],
    ['a carriage return', `${VERSION_LINE}\t\talice\r\n`, 'a request holds a byte that Dovecot would have escaped'],
    ['an unknown escape', `${VERSION_LINE}\t\talice\u0001x\n`, 'a request holds a byte that Dovecot would have escaped'],
    ['half an escape', `${VERSION_LINE}\t\talice\u0001\n`, 'a request holds a byte that Dovecot would have escaped'],
  ])('refuses %s', (_, input, error) => {
    expect(parse(input)).toEqual({ requests: [], error });
  });

  it('refuses a request over the limit before it is complete, and takes one of just that length', () => {
    const fits = `\t\t${'u'.repeat(98)}\n`;
    expect(parseRequests([latin1(VERSION_LINE + fits)], 100).requests).toHaveLength(1);
    expect(parseRequests([latin1(VERSION_LINE), latin1(`\t\t${'u'.repeat(99)}`)], 100)).toEqual({
      requests: [],
      error: 'a request is longer than 100 bytes',
    });
  });

  it('answers what came before an error, and nothing after it', () => {
    const { requests, error } = parse(`${VERSION_LINE}${LINE}nonsense\n${LINE}`);
    expect(requests).toEqual([ALICE]);
    expect(error).toBeDefined();
    const parser = createRequestParser();
    parser.push(latin1('nonsense\n'));
    expect(parser.push(latin1(VERSION_LINE + LINE)).requests).toEqual([]);
  });

  it('knows whether somebody stopped in the middle of a request', () => {
    const parser = createRequestParser();
    expect(parser.partial).toBe(false);
    parser.push(latin1('VERS'));
    expect(parser.partial).toBe(true);
    parser.push(latin1('ION\tscript-login\t1\t0\n'));
    expect(parser.partial).toBe(true);
    parser.push(latin1(LINE));
    expect(parser.partial).toBe(false);
  });

  it('returns exactly the lines that are requests, whatever comes in, in whatever pieces', { timeout: 120_000 }, () => {
    let answered = 0;
    fc.assert(
      fc.property(postLogin.inputs, (input) => {
        answered += checkRequests(input);
      }),
      { numRuns: 100_000 },
    );
    // The property would hold for a parser that never answers, too.
    expect(answered).toBeGreaterThan(10_000);
  });
});

describe('factsOf', () => {
  it('undoes the escapes, lowers keys, and lets the last of two fields count', () => {
    const [request] = parse(`${VERSION_LINE}10.0.0.1\t10.0.0.2\ta\u0001tb\tUID=1\tuid=2\tflag\tq=\u00011\u0001n\u0001r\u00010=\n`).requests;
    expect(request && factsOf(request)).toEqual({
      name: 'a\tb',
      localIp: '10.0.0.1',
      remoteIp: '10.0.0.2',
      fields: new Map([
        ['uid', '2'],
        ['q', '\u0001\n\r\0='],
      ]),
    });
  });

  it.each([
    ['the user name', { user: 'm\xfcller' }],
    ['the field system_groups_user', { fields: ['system_groups_user=m\xfcller'] }],
    ['the field acl_groups', { fields: ['acl_groups=m\xfcller'] }],
  ])('refuses %s that is not UTF-8: two of them would look the same', (what, change) => {
    expect(() => factsOf({ ...ALICE, ...change })).toThrow(`${what} is not valid UTF-8`);
  });

  it('reads UTF-8 names', () => {
    expect(factsOf({ ...ALICE, user: Buffer.from('müller ☃').toString('latin1') }).name).toBe('müller ☃');
  });
});

describe('formatReply', () => {
  it('sends everything back as it came, with acl_groups once', () => {
    const request = {
      ...ALICE,
      fields: [
        'uid=1',
        'acl_groups=a',
        'nologin',
        'bin=\xff\u0001t',
        'ACL_GROUPS=b',
        'acl_groups',
        'acl_groups2=x',
        'acl_groups/n=yes',
        'plugin/acl_groups=c',
        'set/acl_groups',
      ],
    };
    expect(formatReply(request, 'staff,"Domain Users"')).toBe(
      'alice\tuid=1\tnologin\tbin=\xff\u0001t\tACL_GROUPS=b\tacl_groups2=x\tacl_groups=staff,"Domain Users"\n',
    );
  });

  it('escapes and encodes the value', () => {
    const reply = formatReply({ ...ALICE, fields: [] }, bytesOf('ü\t\n☃'));
    expect(Buffer.from(reply, 'latin1').toString()).toBe('alice\tacl_groups=ü\u0001t\u0001n☃\n');
  });

  it('is read by a client as it was meant', () => {
    const key = fc.string({ minLength: 1, unit: 'binary' }).filter((text) => !text.includes('=') && text.toLowerCase() === text);
    const facts = fc.record({
      name: fc.string({ minLength: 1, unit: 'binary' }),
      localIp: fc.ipV4(),
      remoteIp: fc.ipV6(),
      fields: fc.array(fc.tuple(key, fc.string({ unit: 'binary' }))).map((entries) => new Map(entries)),
    });
    fc.assert(
      fc.property(facts, fc.string({ unit: 'binary' }), (sent, groups) => {
        const { requests, error } = parseRequests([latin1(VERSION_LINE), latin1(formatRequest(sent))]);
        expect(error).toBeUndefined();
        const [request] = requests;
        if (request === undefined) throw new Error('no request');
        expect(factsOf(request)).toEqual(sent);
        const reply = parseReply(latin1(formatReply(request, bytesOf(groups))).subarray(0, -1));
        expect(reply).toEqual({ name: sent.name, fields: new Map([...sent.fields, ['acl_groups', groups]]) });
      }),
      { numRuns: 2000 },
    );
  });
});
