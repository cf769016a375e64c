import { isUtf8 } from 'node:buffer';
import { ACL_GROUPS_FIELD, type Field, isOtherSpelling, SYSTEM_GROUPS_USER_FIELD } from '../../dovecot/fields.js';
import type { LoginFacts } from '../../login/request.js';
import { UsageError } from '../../support/errors.js';
import { bytesOf } from '../../support/text.js';

/*
 * The protocol that a mail process speaks to a post-login service (lib-login/login-server.c in 2.4, lib-master/master-login.c in
 * 2.3; the other side is util/script-login.c). The mail process sends
 *
 *     VERSION TAB script-login TAB 1 TAB minor NL
 *     local-ip TAB remote-ip TAB user { TAB field } NL
 *
 * and reads `user { TAB field } NL`; closing without a reply is how "denied" is spelled. Fields are tab-escaped (lib/strescape.c).
 * Text is latin1 here, one character a byte, so that what isn't UTF-8 goes back as it came.
 */

/** The longest request line, in bytes. Dovecot has no limit of its own; userdb fields of some megabytes do occur. */
export const MAX_REQUEST_BYTES: number = 4 * 1024 * 1024;

/** What a client sends before its requests. */
export const VERSION_LINE = 'VERSION\tscript-login\t1\t0\n';

/** Longer than any version line, and short enough to notice a client of another protocol at once. */
const MAX_VERSION_BYTES = 64;
const VERSION_PATTERN = /^VERSION\tscript-login\t1\t\d+$/;

const NEWLINE = 0x0a;

/** A request as it came: latin1, still escaped, syntax checked. */
export interface ProtocolRequest {
  readonly localIp: string;
  readonly remoteIp: string;
  readonly user: string;
  readonly fields: readonly string[];
}

/** What a piece of input completed. After an `error` there are no more requests. */
export interface Parsed {
  readonly requests: readonly ProtocolRequest[];
  /** Why the input isn't the protocol. Quotes nothing of it, as it may hold secrets. */
  readonly error?: string | undefined;
}

/** Parses what one client sends, in whatever pieces it arrives. */
export interface RequestParser {
  push(chunk: Buffer): Parsed;
  /** Whether something has arrived that makes no whole request yet. */
  readonly partial: boolean;
}

export function createRequestParser(maxRequestBytes: number = MAX_REQUEST_BYTES): RequestParser {
  let versionSeen = false;
  let requestSeen = false;
  let failure: string | undefined;
  let pieces: Buffer[] = [];
  let pending = 0;

  function line(bytes: Buffer, requests: ProtocolRequest[]): string | undefined {
    const text = bytes.toString('latin1');
    if (!versionSeen) {
      versionSeen = VERSION_PATTERN.test(text);
      return versionSeen ? undefined : 'the first line is not that of the script-login protocol, version 1';
    }
    const request = parseRequest(text);
    if (typeof request === 'string') return request;
    requestSeen = true;
    requests.push(request);
    return undefined;
  }

  function push(chunk: Buffer): Parsed {
    const requests: ProtocolRequest[] = [];
    let start = 0;
    while (failure === undefined) {
      const end = chunk.indexOf(NEWLINE, start);
      const limit = versionSeen ? maxRequestBytes : MAX_VERSION_BYTES;
      if (pending + (end < 0 ? chunk.length : end) - start > limit) {
        failure = versionSeen ? `a request is longer than ${limit} bytes` : 'the first line is too long for the script-login protocol';
      } else if (end < 0) {
        if (start < chunk.length) {
          pieces.push(chunk.subarray(start));
          pending += chunk.length - start;
        }
        break;
      } else {
        const last = chunk.subarray(start, end);
        failure = line(pending === 0 ? last : Buffer.concat([...pieces, last]), requests);
        pieces = [];
        pending = 0;
        start = end + 1;
      }
    }
    return { requests, error: failure };
  }

  return {
    push,
    get partial() {
      return pending > 0 || (versionSeen && !requestSeen);
    },
  };
}

/** A request line without its end, or what is wrong with it. */
function parseRequest(line: string): ProtocolRequest | string {
  // Dovecot escapes all of these, so that a line holding one was written by something else.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what the rule is about
  if (/[\0\r]|\u0001(?![01trn])/.test(line)) return 'a request holds a byte that Dovecot would have escaped';
  const [localIp = '', remoteIp = '', user = '', ...fields] = line.split('\t');
  if (!isAddress(localIp) || !isAddress(remoteIp)) return 'a request does not start with two IP addresses';
  if (user === '') return 'a request names no user';
  return { localIp, remoteIp, user, fields };
}

/** Empty for a client without an IP address. What the address is doesn't matter, only that nothing else is in its place. */
function isAddress(text: string): boolean {
  return text.length <= 45 && !/[^0-9A-Fa-f:.]/.test(text);
}

/**
 * What a request says.
 * @throws UsageError where a name isn't UTF-8: two such names could be taken for each other
 */
export function factsOf(request: ProtocolRequest): LoginFacts {
  const fields = new Map<string, string>();
  const others = new Map<string, Field>();
  for (const field of request.fields) {
    const equals = field.indexOf('=');
    if (equals < 0) continue;
    const key = decode(field.slice(0, equals));
    const name = key.toLowerCase();
    const value = field.slice(equals + 1);
    // Of a field given twice the last one counts.
    if (isOtherSpelling(key))
      others.set(key, { key: decodeName(field.slice(0, equals), `the field ${key}`), value: decodeName(value, `the field ${key}`) });
    // Dovecot knows acl_groups by its exact name.
    if (name === ACL_GROUPS_FIELD && key !== name) continue;
    fields.set(name, NAME_FIELDS.has(name) ? decodeName(value, `the field ${name}`) : decode(value));
  }
  return {
    name: decodeName(request.user, 'the user name'),
    localIp: request.localIp,
    remoteIp: request.remoteIp,
    fields,
    otherSpellings: others.size > 0 ? [...others.values()] : undefined,
  };
}

const NAME_FIELDS: ReadonlySet<string> = new Set([ACL_GROUPS_FIELD, SYSTEM_GROUPS_USER_FIELD]);

/**
 * The reply that grants a login: everything that came in, with `acl_groups` set, whose value is given as bytes. Latin1. What gave groups in
 * another spelling is in that value by now, or means nothing to this Dovecot: it isn't sent back, as it would shadow ours.
 */
export function formatReply({ user, fields }: ProtocolRequest, aclGroups: string): string {
  let reply = user;
  for (const field of fields) if (!givesGroups(field)) reply += `\t${field}`;
  return `${reply}\t${ACL_GROUPS_FIELD}=${tabEscape(aclGroups)}\n`;
}

/** The reply that grants a login as it came. Latin1. */
export function formatUnchanged({ user, fields }: ProtocolRequest): string {
  return `${[user, ...fields].join('\t')}\n`;
}

function givesGroups(field: string): boolean {
  const [key = ''] = field.split('=', 1);
  return key === ACL_GROUPS_FIELD || isOtherSpelling(tabUnescape(key));
}

/** A request as a mail process would send it, for clients. Latin1. */
export function formatRequest({ name, localIp = '', remoteIp = '', fields }: LoginFacts): string {
  const words = [localIp, remoteIp, encode(name), ...[...fields].map(([key, value]) => encode(`${key}=${value}`))];
  return `${words.join('\t')}\n`;
}

/** The user and the fields of a reply without its end of line, read as the mail process would. */
export function parseReply(line: Buffer): LoginFacts {
  const [user = '', ...words] = line.toString('latin1').split('\t');
  const fields = words.map((word): [string, string] => {
    const [key = ''] = word.split('=', 1);
    return [decode(key), decode(word.slice(key.length + 1))];
  });
  return { name: decode(user), fields: new Map(fields) };
}

const ESCAPES: Readonly<Record<string, string>> = { '\0': '0', '\u0001': '1', '\t': 't', '\r': 'r', '\n': 'n' };
const UNESCAPES: Readonly<Record<string, string>> = { 0: '\0', 1: '\u0001', t: '\t', r: '\r', n: '\n' };

/** A text as it stands in a line: UTF-8 as latin1, escaped. */
function encode(text: string): string {
  return tabEscape(bytesOf(text));
}

function tabEscape(bytes: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is escaped
  return bytes.replace(/[\0\u0001\t\r\n]/g, (c) => `\u0001${ESCAPES[c]}`);
}

function tabUnescape(text: string): string {
  if (!text.includes('\u0001')) return text;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is one
  return text.replace(/\u0001(.)/gs, (_, c: string) => UNESCAPES[c] ?? c);
}

function decode(text: string): string {
  const bytes = tabUnescape(text);
  return isAscii(bytes) ? bytes : Buffer.from(bytes, 'latin1').toString('utf8');
}

/** @throws UsageError */
function decodeName(text: string, what: string): string {
  const bytes = tabUnescape(text);
  if (isAscii(bytes)) return bytes;
  const buffer = Buffer.from(bytes, 'latin1');
  if (!isUtf8(buffer)) throw new UsageError(`${what} is not valid UTF-8`);
  return buffer.toString('utf8');
}

function isAscii(bytes: string): boolean {
  return !/[\u0080-\u00ff]/.test(bytes);
}
