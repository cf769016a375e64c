import { ok, strictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { createRequestParser, type ProtocolRequest, VERSION_LINE } from '../../../src/doors/post-login/protocol.js';
import { inPieces, type Target } from '../target.js';

/** Everything that comes of an input given in pieces. */
export function parseRequests(pieces: readonly Buffer[], limit?: number): { requests: ProtocolRequest[]; error: string | undefined } {
  const parser = createRequestParser(limit);
  const requests: ProtocolRequest[] = [];
  let error: string | undefined;
  for (const piece of pieces) {
    const parsed = parser.push(piece);
    requests.push(...parsed.requests);
    error = parsed.error;
  }
  return { requests, error };
}

const LINE = '127.0.0.1\t::1\talice\tuid=1000\tnologin\thome=/home/alice\n';

// What the protocol is, said a second time, and differently: a whole input is a first line and requests, each a line.
const TEXT = String.raw`(?:[^\0\x01\t\r\n]|\x01[01trn])`;
const GRAMMAR = new RegExp(String.raw`^[0-9A-Fa-f:.]{0,45}\t[0-9A-Fa-f:.]{0,45}\t${TEXT}+(?:\t${TEXT}*)*$`);
const TOKENS = [VERSION_LINE, LINE, '\t\tbob\n', '\n', '\t', '\u0001', '\u0001t', '=', 'acl_groups=', '\0', '\r', '::1'];
const piece = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(LINE, '\t\tbob\n', '1.2.3.4\t::\tcarol\tx=\u0001t\tflag\n') },
  { weight: 3, arbitrary: fc.constantFrom(...TOKENS) },
  { weight: 2, arbitrary: fc.string({ maxLength: 8 }) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString('latin1')) },
);

/** Whether exactly the lines that are requests come out, and an error where one is none. Returns how many came out. */
export function checkRequests(input: string): number {
  const bytes = Buffer.from(input, 'latin1');
  const { requests, error } = parseRequests(inPieces(bytes, input));
  const [first, ...lines] = bytes.toString('latin1').split('\n').slice(0, -1);
  const valid = first !== undefined && first.length <= 64 && /^VERSION\tscript-login\t1\t\d+$/.test(first) ? lines : [];
  const stop = valid.findIndex((line) => !GRAMMAR.test(line));
  const found = requests.map(({ localIp, remoteIp, user, fields }) => [localIp, remoteIp, user, ...fields].join('\t'));
  strictEqual(found.join('\n'), (stop < 0 ? valid : valid.slice(0, stop)).join('\n'));
  strictEqual(found.length, stop < 0 ? valid.length : stop);
  if (stop >= 0 || (first !== undefined && valid !== lines)) ok(error !== undefined, 'no error');
  return requests.length;
}

/** The script-login protocol. */
export const postLogin: Target = {
  name: 'post-login',
  inputs: fc
    .tuple(
      fc.nat(4).map((n) => n > 0),
      fc.array(piece, { maxLength: 6 }),
    )
    .map(([greeted, pieces]) => (greeted ? VERSION_LINE : '') + pieces.join('')),
  tokens: TOKENS,
  check: checkRequests,
};
