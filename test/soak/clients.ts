/** Those who ask: Dovecot's auth process, mail processes, script-login. */
import { execFile } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { AndFilter, BindRequest, EqualityFilter, SearchRequest } from 'ldapts';
import { groupsByFields, readLine, readList, type Version, writeRequest } from '../adversary/dovecot.js';
import { splitMessages } from '../bench/ldap-wire.js';
import type { Answer } from './oracle.js';
import { now } from './timeline.js';

/** Longer than any answer may take, in milliseconds: who hears nothing until then never will. */
const SILENCE = 30_000;

/** Asks a question, and waits for what comes of it. */
export type Ask = (user: string) => Promise<Answer>;

/** A client with a connection of its own, or one for each question. */
export interface SoakClient {
  readonly ask: Ask;
  close(): void;
}

const BASE = 'dc=acl-groups';
const TAG = { bindResponse: 0x61, entry: 0x64, done: 0x65 } as const;
const BIND_ID = 0x7fff_ffff;

interface Question {
  readonly user: string;
  came: number;
  value?: string;
  readonly settle: (outcome: Answer['outcome'], text: string) => void;
}

/** The auth process: one connection, opened again when it is lost, upon which all that has no answer is asked again. `onLost` counts. */
export function userdbClient(path: string, version: Version, onLost: () => void): SoakClient {
  const questions = new Map<number, Question>();
  let socket: Socket | undefined;
  let lastId = 0;
  let closed = false;

  function open(): Socket {
    const opened = connect(path);
    socket = opened;
    opened.write(new BindRequest({ messageId: BIND_ID, dn: '', password: '' }).write());
    const split = splitMessages(take);
    opened.on('data', split);
    opened.on('error', () => {});
    opened.on('close', () => {
      socket = undefined;
      if (closed) return;
      onLost();
      // A moment later, so that a service that closes at once isn't asked in a circle.
      setTimeout(() => {
        if (questions.size === 0 || closed) return;
        for (const [id, question] of questions) send(id, question);
      }, 5);
    });
    return opened;
  }

  function send(id: number, question: Question): void {
    question.came = now();
    const equalities = ['uid', 'account'].map((attribute) => new EqualityFilter({ attribute, value: question.user }));
    const filter = new AndFilter({ filters: equalities });
    (socket ?? open()).write(new SearchRequest({ messageId: id, baseDN: BASE, scope: 'sub', filter, attributes: ['aclGroups'] }).write());
  }

  function take(bytes: Buffer): void {
    const message = elementAt(bytes, 0);
    const number = elementAt(bytes, message.start);
    const operation = elementAt(bytes, number.end);
    const id = bytes.readUIntBE(number.start, number.end - number.start);
    const question = questions.get(id);
    if (question === undefined) return;
    if (operation.tag === TAG.entry) question.value = entryValue(bytes, operation.start);
    if (operation.tag !== TAG.done) return;
    const code = bytes[elementAt(bytes, operation.start).start] ?? -1;
    const { value } = question;
    if (code !== 0) question.settle('deny', `result ${code}`);
    else question.settle(value === undefined ? 'unknown' : readList(value, question.user, version), value ?? '');
  }

  return {
    ask: (user) =>
      new Promise((resolve) => {
        lastId = (lastId % 0x7000_0000) + 1;
        const id = lastId;
        const timer = setTimeout(() => question.settle('silence', ''), SILENCE);
        const question: Question = {
          user,
          came: 0,
          settle(outcome, text) {
            clearTimeout(timer);
            questions.delete(id);
            resolve({ door: 'userdb', user, came: question.came, answered: now(), outcome, text });
          },
        };
        questions.set(id, question);
        send(id, question);
      }),
    close() {
      closed = true;
      socket?.destroy();
    },
  };
}

/** An element of BER: its tag, where its content begins and ends. */
function elementAt(bytes: Buffer, at: number): { readonly tag: number; readonly start: number; readonly end: number } {
  const first = bytes[at + 1] ?? 0;
  const longer = first < 0x80 ? 0 : first - 0x80;
  const length = longer === 0 ? first : bytes.readUIntBE(at + 2, longer);
  const start = at + 2 + longer;
  return { tag: bytes[at] ?? 0, start, end: start + length };
}

/** The first value of an entry's only attribute (RFC 4511, 4.5.2): behind the DN, in a list of attributes, behind its name, in a set. */
function entryValue(bytes: Buffer, start: number): string {
  const attributes = elementAt(bytes, elementAt(bytes, start).end);
  const attribute = elementAt(bytes, attributes.start);
  const values = elementAt(bytes, elementAt(bytes, attribute.start).end);
  const value = elementAt(bytes, values.start);
  return bytes.toString('utf8', value.start, value.end);
}

/** A mail process: a connection for each login. */
export function postLoginClient(path: string, version: Version): SoakClient {
  return {
    ask: (user) =>
      new Promise((resolve) => {
        const came = now();
        let text = '';
        const socket = connect(path, () => socket.write(`VERSION\tscript-login\t1\t0\n${writeRequest(user, [], '10.0.0.1')}`));
        const settle = (outcome: Answer['outcome']): void => {
          clearTimeout(timer);
          resolve({ door: 'post-login', user, came, answered: now(), outcome, text });
          socket.destroy();
        };
        const timer = setTimeout(() => settle('silence'), SILENCE);
        socket.setEncoding('utf8').on('data', (chunk) => {
          text += chunk;
          if (!text.endsWith('\n')) return;
          const { fields } = readLine(text.slice(0, -1), 0);
          settle(groupsByFields(fields, user, version) ?? 'unknown');
        });
        socket.on('end', () => settle('lost'));
        socket.on('error', () => settle('lost'));
      }),
    close() {},
  };
}

/** script-login: a process for each login, in the namespaces of `supervisor`. `options` are exec mode's. */
export function execClient(supervisor: number, command: string, options: readonly string[], version: Version): SoakClient {
  const words = ['-t', String(supervisor), '--mount', '--root', '--', command, ...options, '--', '/usr/bin/env', '-0'];
  return {
    ask: (user) =>
      new Promise((resolve) => {
        const came = now();
        const env = { USER: user, IP: '10.0.0.1', LOCAL_IP: '10.0.0.2', USERDB_KEYS: '' };
        const child = execFile('nsenter', words, { env, cwd: '/', timeout: SILENCE, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
          const answer = (outcome: Answer['outcome'], text: string): void =>
            resolve({ door: 'exec', user, came, answered: now(), outcome, text });
          const value = stdout.split('\0').find((line) => line.startsWith('ACL_GROUPS='));
          if (child.signalCode !== null) answer('silence', stderr);
          else if (error !== null) answer('deny', `status ${child.exitCode}: ${stderr}`);
          else if (value === undefined) answer('unknown', '');
          else answer(readList(value.slice('ACL_GROUPS='.length), user, version), value);
        });
      }),
    close() {},
  };
}
