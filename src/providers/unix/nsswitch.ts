/** One service of a database's line, with the actions in brackets behind it. */
export interface Service {
  readonly name: string;
  /** Such as `NOTFOUND=return`, `!UNAVAIL=return`: the status in capitals, the action in small letters. */
  readonly actions: readonly string[];
  /**
   * Whether it stands behind a `#`. glibc knows no comments behind a list: it asks this service as well, if there is such a one. Whoever
   * wrote it meant a comment, so nobody expects it to answer.
   */
  readonly commented?: boolean;
}

/** Which services hold the accounts. */
export interface NameServices {
  readonly passwd: readonly Service[];
  readonly group: readonly Service[];
  /** Asked instead of `group` for the groups of a user; `undefined` where nsswitch.conf has no such line. */
  readonly initgroups: readonly Service[] | undefined;
}

/** The databases that glibc reads (nss/databases.def). One line that it can't read, and it finds nothing in any of them. */
const DATABASES: ReadonlySet<string> = new Set([
  ...['aliases', 'ethers', 'group', 'group_compat', 'gshadow', 'hosts', 'initgroups', 'netgroup', 'networks', 'passwd', 'passwd_compat'],
  ...['protocols', 'publickey', 'rpc', 'services', 'shadow', 'shadow_compat'],
]);

/** Without a line of its own, a database is in the files (nss/nss_database.c, glibc 2.32 and newer). */
const DEFAULT: readonly Service[] = [{ name: 'files', actions: [] }];

/** What glibc makes of a missing nsswitch.conf. */
export const DEFAULT_SERVICES: NameServices = { passwd: DEFAULT, group: DEFAULT, initgroups: undefined };

/**
 * Reads nsswitch.conf by glibc's rules (nss/nss_database.c, nss_action_parse.c): the last line of a database counts, but a last line of the
 * file that no newline ends is not read (seen with 2.36 and 2.41). A `#` is part of a word like any other character.
 * @throws Error for a line that glibc can't read, upon which it finds no account at all
 */
export function parseNsswitch(text: string): NameServices {
  const found = new Map<string, readonly Service[]>();
  for (const line of text.split('\n').slice(0, -1)) {
    // The newline is a blank that may end the database's name. A NUL ends the line.
    const [, name = '', list = ''] = LINE.exec(`${line}\n`.replace(/\0.*$/s, '')) ?? [];
    if (!DATABASES.has(name)) continue;
    const services = parseServices(list);
    if (services === undefined) throw new Error(`nsswitch.conf: the line of ${name} can't be read: ${line.trim()}`);
    found.set(name, services);
  }
  return { passwd: found.get('passwd') ?? DEFAULT, group: found.get('group') ?? DEFAULT, initgroups: found.get('initgroups') };
}

/** What isspace(3) takes for a blank: fewer characters than a regular expression does. */
const BLANK = '[ \\t\\n\\v\\f\\r]';
const LINE = new RegExp(`^${BLANK}*([^: \\t\\n\\v\\f\\r]+)(?:${BLANK}|:)+(.*)$`, 's');
const SERVICE = new RegExp(`^${BLANK}*([^[ \\t\\n\\v\\f\\r]+)${BLANK}*`);
const ACTION = new RegExp(
  `(!?(?:SUCCESS|NOTFOUND|UNAVAIL|TRYAGAIN))${BLANK}*=${BLANK}*(RETURN|CONTINUE|MERGE)(?=${BLANK}|\\]|$)${BLANK}*`,
  'gi',
);
const BRACKET = new RegExp(`^\\[${BLANK}*((?:${ACTION.source})+)\\]`, 'i');

/** `undefined` for actions that aren't well-formed. */
function parseServices(list: string): readonly Service[] | undefined {
  const services: Service[] = [];
  let commented = false;
  for (let rest = list; ; ) {
    const [service, name] = SERVICE.exec(rest) ?? [];
    // A bracket without a service before it ends the list.
    if (service === undefined || name === undefined) return services;
    rest = rest.slice(service.length);
    let actions: readonly string[] = [];
    if (rest.startsWith('[')) {
      const [bracket, inside = ''] = BRACKET.exec(rest) ?? [];
      if (bracket === undefined) return undefined;
      actions = [...inside.matchAll(ACTION)].map(([, status = '', action = '']) => `${status.toUpperCase()}=${action.toLowerCase()}`);
      rest = rest.slice(bracket.length);
    }
    commented ||= name.startsWith('#');
    services.push({ name, actions, ...(commented && { commented }) });
  }
}

/** A line as an administrator would write it. */
export function formatServices(services: readonly Service[]): string {
  return services.map(({ name, actions }) => [name, ...(actions.length > 0 ? [`[${actions.join(' ')}]`] : [])].join(' ')).join(' ');
}

/** The lines of the databases, for messages. */
export function describeServices({ passwd, group, initgroups }: NameServices): string {
  const lines = [`passwd: ${formatServices(passwd)}`, `group: ${formatServices(group)}`];
  return [...lines, ...(initgroups ? [`initgroups: ${formatServices(initgroups)}`] : [])].join('; ');
}

/** How far the files are the whole truth: `all` for every account, `found` for the accounts that are in them, `none`. */
export type FilesRule = 'all' | 'found' | 'none';

/**
 * Whether nsswitch.conf leaves it to the files. `found` is Debian's own `files systemd`, and holds as long as nss-systemd has no groups to
 * add (see systemd.ts): accounts that aren't in the files may be its dynamic users.
 */
export function filesRule({ passwd, group, initgroups }: NameServices): FilesRule {
  const lines = [passwd, group, ...(initgroups ? [initgroups] : [])];
  // What comes behind a found entry changes nothing for groups; for accounts it would ask on.
  const allowed = (line: readonly Service[]): boolean =>
    line[0]?.name === 'files' &&
    line.slice(1).every(({ name, actions }) => name === 'systemd' && actions.length === 0) &&
    line[0].actions.every((action) => line !== passwd && action === 'SUCCESS=merge');
  if (!lines.every(allowed)) return 'none';
  return lines.every((line) => line.length === 1) ? 'all' : 'found';
}

/** Whether the first service asked for a group's name is the file, and its answer final. */
export function filesNameGroups({ group: [first] }: NameServices): boolean {
  return first?.name === 'files' && first.actions.every((action) => action !== 'SUCCESS=continue' && !action.startsWith('!'));
}
