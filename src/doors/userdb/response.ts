import { bytesOf } from '../../support/text.js';
import { OPERATION } from './message.js';

/*
 * LDAP messages as a server writes them (RFC 4511). Everything is bytes here, one character each (latin1): an answer that is kept joins a
 * message as it is, and joining texts is all that it takes. ldapts' BerWriter, which copies each part into a buffer and moves it when its
 * length is known, takes twice as long for a reply: 1.7 µs instead of 0.8, of 9 µs that a search costs the service when there are several
 * in flight (`npm run bench -- door`).
 */

/** Result codes (RFC 4511, appendix A). */
export const RESULT = {
  success: 0,
  protocolError: 2,
  authMethodNotSupported: 7,
  unavailableCriticalExtension: 12,
  noSuchObject: 32,
  invalidCredentials: 49,
  busy: 51,
  unwillingToPerform: 53,
} as const;

/** An entry of a search result. Values are bytes. */
export interface Entry {
  readonly dn: string;
  readonly attributes: Readonly<Record<string, readonly string[]>>;
}

/** The bytes of a message: the number of its request, and the operation. */
export function message(id: number, operation: string): string {
  return element(0x30, element(0x02, integer(id)) + operation);
}

/** A result, with a text for people. `tag` is the response's. */
export function result(tag: number, code: number, text = '', more = ''): string {
  return element(tag, element(0x0a, integer(code)) + element(0x04, '') + element(0x04, bytesOf(text)) + more);
}

/** An entry of a search result as an operation. */
export function entryOperation({ dn, attributes }: Entry): string {
  let list = '';
  for (const [name, values] of Object.entries(attributes)) {
    list += element(0x30, element(0x04, name) + element(0x31, values.map((value) => element(0x04, value)).join('')));
  }
  return element(OPERATION.searchResultEntry, element(0x04, dn) + element(0x30, list));
}

/** What a server says before it closes a connection (RFC 4511, 4.4.1): a response to nobody's request. */
export function noticeOfDisconnection(code: number, text: string): string {
  return message(0, result(OPERATION.extendedResponse, code, text, element(RESPONSE_NAME, '1.3.6.1.4.1.1466.20036')));
}

const RESPONSE_NAME = 0x8a;

/** An element of BER in its definite form. */
function element(tag: number, content: string): string {
  const { length } = content;
  if (length < 0x80) return String.fromCharCode(tag, length) + content;
  const digits = bigEndian(length);
  return String.fromCharCode(tag, 0x80 + digits.length) + digits + content;
}

/** A number that is not negative, as the content of an INTEGER: with a leading zero where the first bit would say that it is. */
function integer(value: number): string {
  const digits = bigEndian(value);
  return digits.charCodeAt(0) < 0x80 ? digits : `\0${digits}`;
}

function bigEndian(value: number): string {
  let digits = String.fromCharCode(value & 0xff);
  for (let rest = value >>> 8; rest > 0; rest >>>= 8) digits = String.fromCharCode(rest & 0xff) + digits;
  return digits;
}
