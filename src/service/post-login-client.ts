import { connect } from 'node:net';
import { formatRequest, parseReply, VERSION_LINE } from '../doors/post-login/protocol.js';
import type { LoginFacts } from '../login/request.js';
import { milliseconds } from '../support/clock.js';
import { AclGroupsError, EXIT, explain } from '../support/errors.js';

/** What a service said about a login. */
export interface ServiceAnswer {
  /** The reply; `undefined` if the login was denied. */
  readonly reply: LoginFacts | undefined;
  /** From connecting to the end of the reply, in milliseconds. */
  readonly elapsed: number;
}

/** As long as a mail process waits (lib-login, postlogin_timeout_secs), in milliseconds. */
const TIMEOUT = 60_000;
const NEWLINE = 0x0a;

/**
 * Asks a post-login service about a user, as a mail process would. `timeout` is in milliseconds.
 * @throws AclGroupsError when there is no service, or no answer in time
 */
export function askService(path: string, facts: LoginFacts, timeout: number = TIMEOUT): Promise<ServiceAnswer> {
  const since = milliseconds();
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(path, () => socket.write(VERSION_LINE + formatRequest(facts), 'latin1'));
    const settle = (reply: LoginFacts | undefined): void => {
      resolve({ reply, elapsed: milliseconds() - since });
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
