import type { Dovecot } from './dovecot.js';
import type { LineClient } from './imap.js';

/** The answer to a ManageSieve command (RFC 5804): the lines before its last one, and this one's status and text. */
export interface SieveReply {
  readonly status: 'OK' | 'NO' | 'BYE';
  readonly text: string;
  readonly lines: readonly string[];
}

/** A ManageSieve client that has tried to log in. */
export interface SieveClient {
  readonly line: LineClient;
  /** The answer to AUTHENTICATE. */
  readonly login: SieveReply;
  /** Sends a command and reads its answer. */
  command(text: string): Promise<SieveReply>;
  /** Stores a script and makes it the active one. */
  activate(name: string, script: string): Promise<SieveReply>;
  /** Logs out, so that the log can be complete. */
  logout(): Promise<void>;
}

/** Connects to ManageSieve and logs in, with everybody's password. */
export async function manageSieve(dovecot: Dovecot, user: string): Promise<SieveClient> {
  const client = await dovecot.sieve();
  // The greeting is an answer, whose first line has been read.
  await reply(client);
  const command = (text: string): Promise<SieveReply> => {
    client.write(`${text}\r\n`);
    return reply(client);
  };
  const login = await command(`AUTHENTICATE "PLAIN" "${Buffer.from(`\0${user}\0secret`).toString('base64')}"`);
  return {
    line: client,
    login,
    command,
    activate: async (name, script) => {
      const stored = await command(`PUTSCRIPT "${name}" {${Buffer.byteLength(script)}+}\r\n${script}`);
      return stored.status === 'OK' ? await command(`SETACTIVE "${name}"`) : stored;
    },
    logout: async () => {
      await command('LOGOUT');
      client.destroy();
    },
  };
}

async function reply(client: LineClient): Promise<SieveReply> {
  const lines: string[] = [];
  for (;;) {
    const line = await client.line();
    const [, status, text = ''] = /^(OK|NO|BYE)\b ?(.*)$/.exec(line) ?? [];
    if (status === 'OK' || status === 'NO' || status === 'BYE') return { status, text, lines };
    lines.push(line);
  }
}
