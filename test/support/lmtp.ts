import type { LineClient } from './imap.js';

/** What an LMTP server said of each recipient, in their order: a code and text, such as `250 2.0.0 <alice> … Saved`. */
export interface Delivery {
  /** The replies to RCPT. */
  readonly recipients: readonly string[];
  /** The replies to DATA, for the recipients that were accepted (RFC 2033, 4.2). */
  readonly results: readonly string[];
}

const MESSAGE = 'From: sender@example.test\r\nSubject: hello\r\n\r\nHello.\r\n';

/** Delivers a message to users, and ends the connection. */
export async function deliver(client: LineClient, users: readonly string[], message: string = MESSAGE): Promise<Delivery> {
  await expectReply(client, 'LHLO test', '250');
  await expectReply(client, 'MAIL FROM:<sender@example.test>', '250');
  const recipients: string[] = [];
  for (const user of users) recipients.push(await command(client, `RCPT TO:<${user}>`));
  const results: string[] = [];
  const accepted = recipients.filter((text) => text.startsWith('2'));
  if (accepted.length > 0) {
    await expectReply(client, 'DATA', '354');
    client.write(`${message.replace(/^\./gm, '..')}.\r\n`);
    while (results.length < accepted.length) results.push(await reply(client));
  }
  await command(client, 'QUIT');
  client.destroy();
  return { recipients, results };
}

async function expectReply(client: LineClient, text: string, code: string): Promise<void> {
  const answer = await command(client, text);
  if (!answer.startsWith(code)) throw new Error(`${text}: ${answer}`);
}

async function command(client: LineClient, text: string): Promise<string> {
  client.write(`${text}\r\n`);
  return reply(client);
}

/** A reply's last line: those before it have `-` behind the code. */
async function reply(client: LineClient): Promise<string> {
  for (;;) {
    const line = await client.line();
    if (!/^\d{3}-/.test(line)) return line;
  }
}
