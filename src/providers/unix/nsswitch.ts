/** One service of a database's line, with the actions in brackets behind it. */
export interface Service {
  readonly name: string;
  /** Such as `NOTFOUND=return`, `!UNAVAIL=return`: the status in capitals, the action in small letters. */
  readonly actions: readonly string[];
}

/** Which services hold the accounts. */
export interface NameServices {
  readonly passwd: readonly Service[];
  readonly group: readonly Service[];
  /** Asked instead of `group` for the groups of a user; `undefined` where nsswitch.conf has no such line. */
  readonly initgroups: readonly Service[] | undefined;
}

const DATABASES = ['passwd', 'group', 'initgroups'] as const;

/** Without a line of its own, a database is in the files (nss/nss_database.c, glibc 2.32 and newer). */
const DEFAULT: readonly Service[] = [{ name: 'files', actions: [] }];

/** What glibc makes of a missing nsswitch.conf. */
export const DEFAULT_SERVICES: NameServices = { passwd: DEFAULT, group: DEFAULT, initgroups: undefined };

/**
 * Reads nsswitch.conf by glibc's rules (nss/nss_database.c, nss_action_parse.c): the last line of a database counts, but a last line of the file
 * that no newline ends is not read (seen with 2.36 and 2.41).
 * @throws Error for a line that glibc can't read, upon which it finds no account at all
 */
export function parseNsswitch(text: string): NameServices {
  const found: { -readonly [Key in keyof NameServices]: NameServices[Key] } = { ...DEFAULT_SERVICES };
  for (const line of text.split('\n').slice(0, -1)) {
    const [, name, list = ''] = /^\s*([^\s:]+)[\s:]+(.*)$/s.exec(line.replace(/[#\0].*$/s, '')) ?? [];
    const database = DATABASES.find((known) => known === name);
    if (database === undefined) continue;
    const services = parseServices(list);
    if (services === undefined) throw new Error(`nsswitch.conf: the line of ${database} can't be read: ${line.trim()}`);
    found[database] = services;
  }
  return found;
}

/** `undefined` for actions that aren't well-formed. */
function parseServices(list: string): readonly Service[] | undefined {
  const services: Service[] = [];
  let rest = list.trim();
  while (rest !== '') {
    const [service, name] = /^([^\s[]+)\s*/.exec(rest) ?? [];
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
    services.push({ name, actions });
    rest = rest.trimStart();
  }
  return services;
}

const ACTION = /(!?(?:SUCCESS|NOTFOUND|UNAVAIL|TRYAGAIN))\s*=\s*(RETURN|CONTINUE|MERGE)\s*/gi;
const BRACKET = new RegExp(`^\\[\\s*((?:${ACTION.source})+)\\]`, 'i');

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
