/** What the log says of one login. */
export interface Session {
  readonly id: string;
  /** Whether a mail process served it. */
  readonly loggedIn: boolean;
  /** The groups that Dovecot added, in order. */
  readonly groups: readonly string[];
  /** All lines of the mail process, prefix included. */
  readonly lines: readonly string[];
}

/**
 * The session of the client that had a local port, in the lines of Dovecot's log since the client came; `undefined` until it is
 * complete.
 *
 * When a mail process ends, Dovecot forgets its prefix, maybe before it has read the process's last lines: these then say no more
 * than `imap: `. One that fails before it has become its user says `imap(PID): `. Both are this session's if there is no other that
 * they could belong to.
 */
export function sessionIn(lines: readonly string[], port: number): Session | undefined {
  const first = lines.findIndex((line) => / \S+-login: Info: /.test(line) && new RegExp(`rport=${port}[, ]`).test(line));
  const login = lines[first];
  if (login === undefined) return undefined;
  const id = idOf(login);
  if (!HANDED_OVER.test(login)) return { id, loggedIn: false, groups: [], lines: [] };
  const own = lines.filter((line) => line.includes(`<${id}>: `));
  const end = own.find((line) => END.test(line));
  if (end !== undefined) return session(id, !end.includes(': Fatal: '), own);
  if (lines.some((line) => isDenied(line, id))) return session(id, false, own);
  const pid = /\)<(\d+)></.exec(own[0] ?? '')?.[1];
  const strays = lines.slice(first).filter((line) => isStray(line, pid));
  const last = strays.find((line) => STRAY_END.test(line));
  if (last === undefined || openSessions(lines).length !== 1) return undefined;
  return session(id, last.includes(': Info: '), [...own, ...strays]);
}

const HANDED_OVER = / \S+-login: Info: Log(in|ged in): /;
const END = /: (Info: (Logged out|Disconnected)|Fatal: )/;
const STRAY = /^\w+ +\d+ [\d:]+ (imap|pop3)(\(\d+\))?: /;
const NO_SESSION = /\(\d+\): Error: auth-master: login: /;
const STRAY_END = /\(\d+\): (Error|Fatal): |: Info: (Logged out|Disconnected)|: Fatal: /;

/** Whether a line may be that of the session whose process has this id, if it is known. */
function isStray(line: string, pid: string | undefined): boolean {
  const [stray, , of] = STRAY.exec(line) ?? [];
  // Who isn't let in by the auth process has no session: the login process says so.
  return stray !== undefined && !NO_SESSION.test(line) && (pid === undefined || of === undefined || of === `(${pid})`);
}

function session(id: string, loggedIn: boolean, lines: readonly string[]): Session {
  const groups = lines.flatMap((line) => / Debug: acl: group added: (.*)$/s.exec(line)?.[1] ?? []);
  return { id, loggedIn, groups: [...new Set(groups)], lines };
}

function idOf(login: string): string {
  return /session=<([^>]+)>/.exec(login)?.[1] ?? '';
}

function isDenied(line: string, id: string): boolean {
  return line.includes('Post-login script denied ') && line.includes(`session=${id},`);
}

function openSessions(lines: readonly string[]): readonly string[] {
  const ids = lines.filter((line) => HANDED_OVER.test(line)).map(idOf);
  return ids.filter((id) => !lines.some((line) => isDenied(line, id) || (line.includes(`<${id}>: `) && END.test(line))));
}
