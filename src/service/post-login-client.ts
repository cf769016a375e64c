import { connect } from 'node:net';
import { formatRequest, parseReply, VERSION_LINE } from '../doors/post-login/protocol.js';
import { ACL_GROUPS_FIELD } from '../dovecot/fields.js';
import type { LoginFacts } from '../login/request.js';
import { milliseconds } from '../support/clock.js';
import { AclGroupsError, EXIT, explain } from '../support/errors.js';
import { ANSWER_TIMEOUT, type DoorAnswer } from './door-answer.js';

const NEWLINE = 0x0a;

/**
 * Asks a post-login service about a user, as a mail process would. `timeout` is in milliseconds.
 * @throws AclGroupsError when there is no service, or no answer in time
 */
export function askPostLogin(path: string, user: string, timeout: number = ANSWER_TIMEOUT): Promise<DoorAnswer> {
  const since = milliseconds();
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(path, () => socket.write(VERSION_LINE + formatRequest({ name: user, fields: new Map() }), 'latin1'));
    const settle = (reply: LoginFacts | undefined): void => {
      const value = reply?.fields.get(ACL_GROUPS_FIELD);
      // A service that adds nothing knows nobody of this name.
      const outcome = reply === undefined ? 'denied' : value === undefined ? 'unknown-user' : 'granted';
      resolve({ outcome, value: value ?? '', reason: '', elapsed: milliseconds() - since });
      socket.destroy();
    };
    const fail = (reason: string, cause?: unknown): void => {
      reject(new AclGroupsError(`${path}: ${reason}`, EXIT.unavailable, { cause }));
      socket.destroy();
    };
    socket.setTimeout(timeout, () => fail(`no answer within ${timeout} ms`));
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      // Only the end of the reply is a line end; those within are escaped.
      if (chunk.at(-1) === NEWLINE) settle(parseReply(Buffer.concat(chunks).subarray(0, -1)));
    });
    socket.on('end', () => (chunks.length === 0 ? settle(undefined) : fail('the reply breaks off')));
    socket.on('error', (error) => fail(`the service can't be asked: ${explain(error)}`));
  });
}
