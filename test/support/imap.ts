import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** The answer to one command: untagged lines, and the tagged one, without the line ends. */
export interface ImapReply {
  readonly status: 'OK' | 'NO' | 'BAD';
  /** The tagged line after its status. */
  readonly text: string;
  readonly untagged: readonly string[];
}

/**
 * A line client for IMAP and POP3 that hides nothing: `received` is every byte that the server sent. It knows no literals, so
 * it isn't for fetching mail.
 */
export class LineClient {
  /** The client's own port: Dovecot's log names a login by it. */
  readonly localPort: number;
  readonly #socket: Socket;
  #received = '';
  #read = 0;
  #ended = false;
  #tag = 0;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.localPort = socket.localPort ?? 0;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.#received += text;
      this.#wake();
    });
    // A reset is an end like any other: what was received tells.
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#ended = true;
      this.#wake();
    });
  }

  /** Connects, and leaves the greeting to be read. */
  static async connect(port: number, host: string): Promise<LineClient> {
    const socket = connect({ port, host, noDelay: true });
    await once(socket, 'connect');
    return new LineClient(socket);
  }

  /** Every byte received so far, as Latin-1. */
  get received(): string {
    return this.#received;
  }

  /** Sends bytes (Latin-1) as they are. */
  write(text: string): void {
    this.#socket.write(text, 'latin1');
  }

  /**
   * The next line, without its CRLF.
   * @throws Error when the server closes first
   */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#received.indexOf('\r\n', this.#read);
      if (end >= 0) {
        const line = this.#received.slice(this.#read, end);
        this.#read = end + 2;
        return line;
      }
      if (this.#ended) throw new Error(`connection closed by the server; received: ${JSON.stringify(this.#received)}`);
      await this.#more();
    }
  }

  /** Reads up to the tagged line of `tag`. */
  async reply(tag: string): Promise<ImapReply> {
    const untagged: string[] = [];
    for (;;) {
      const line = await this.line();
      const [, status, text = ''] = line.startsWith(`${tag} `) ? (/^\S+ (OK|NO|BAD) ?(.*)$/s.exec(line) ?? []) : [];
      if (status === 'OK' || status === 'NO' || status === 'BAD') return { status, text, untagged };
      untagged.push(line);
    }
  }

  /** Sends an IMAP command and reads its answer. */
  async command(text: string): Promise<ImapReply> {
    this.#tag += 1;
    const tag = `a${this.#tag}`;
    this.write(`${tag} ${text}\r\n`);
    return this.reply(tag);
  }

  /** Resolves when the server has closed the connection. */
  async closed(): Promise<void> {
    while (!this.#ended) await this.#more();
  }

  /** Ends the connection at once. */
  destroy(): void {
    this.#socket.destroy();
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

/** An IMAP string in quotes. */
export function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
