/**
 * Dovecot's side, by what was measured on real servers and read in its source, written apart from the program: which groups a mail process
 * adds for what comes back after a login. Shares no code with src/.
 */

/** A version of Dovecot that reads values in a way of its own. */
export type Version = '2.3' | '2.4';

/** A field as the protocol has it, its escapes undone. */
export interface Field {
  readonly key: string;
  readonly value: string;
}

/** Names in order, each once; `dies` where the mail process ends at the value. */
export type Reading = readonly string[] | 'dies';

/** The groups that a mail process adds by its user's fields. `undefined` where no field says anything of groups. */
export function groupsByFields(fields: readonly Field[], user: string, version: Version): Reading | undefined {
  const last = (key: string): string | undefined => fields.findLast((field) => field.key === key)?.value;
  if (version === '2.3') {
    const value = last('plugin/acl_groups') ?? last('acl_groups');
    return value === undefined ? undefined : readList(value, user, version);
  }
  const list = last('acl_groups');
  if (list !== undefined) return readList(list, user, version);
  const names = elementsOf(fields, 'acl_groups/');
  return names.length === 0 ? undefined : names;
}

/**
 * All groups that a userdb gave, in whichever spelling that this version knows: what the contract promises to keep. `set/` is the newest
 * Dovecot's.
 */
export function groupsGiven(fields: readonly Field[], user: string, version: Version): Reading {
  const lists = version === '2.3' ? ['plugin/acl_groups'] : ['set/acl_groups'];
  const names: string[] = [];
  const add = (reading: Reading): boolean => reading !== 'dies' && names.push(...reading) >= 0;
  const last = fields.findLast(({ key }) => key === 'acl_groups');
  if (last !== undefined && !add(readList(last.value, user, version))) return 'dies';
  for (const field of fields) {
    if (lists.includes(field.key) && !add(readList(field.value, user, version))) return 'dies';
    if (version === '2.4') names.push(...elementsOf([field], 'acl_groups/'), ...elementsOf([field], 'set/acl_groups/'));
  }
  return once(names);
}

function elementsOf(fields: readonly Field[], prefix: string): readonly string[] {
  return once(
    fields
      .filter(({ key, value }) => key.startsWith(prefix) && value === 'yes')
      .map(({ key }) => undoSectionEscapes(key.slice(key.lastIndexOf('/') + 1))),
  );
}

/** The names of a value. */
export function readList(value: string, user: string, version: Version): Reading {
  const names = version === '2.3' ? read23(value, user) : read24(value);
  // A group without a name is nobody's.
  return names === 'dies' ? names : once(names.filter((name) => name !== ''));
}

/** acl_mail_user_create(): variables first (var-expand.c), then p_strsplit(",") . */
function read23(value: string, user: string): Reading {
  let text = '';
  for (let at = 0; at < value.length; at++) {
    if (value[at] !== '%') {
      text += value[at];
      continue;
    }
    at++;
    const rest = value.slice(at);
    if (rest === '') break;
    if (rest.startsWith('%')) text += '%';
    else if (rest.startsWith('u')) text += user;
    else if (rest.startsWith('{user}')) {
      text += user;
      at += 5;
    } else if (rest.startsWith('{env:')) {
      const end = rest.indexOf('}');
      if (end < 0) return 'dies';
      at += end;
    } else return 'dies';
  }
  return text.split(',');
}

/** settings_override_get_value(), then settings_parse_boollist_string(), character by character as it is there. */
function read24(value: string): Reading {
  const text = value.startsWith('inline:') ? `\n${value.slice('inline:'.length)}` : value;
  const names: string[] = [];
  let element = '';
  let quoted = false;
  let ended = false;
  const finish = (): void => {
    if (quoted || element !== '') names.push(undoSectionEscapes(element));
    element = '';
    quoted = false;
    ended = false;
  };
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '"') {
      if (ended) return 'dies';
      if (quoted) ended = true;
      else if (element !== '') return 'dies';
      else quoted = true;
    } else if ((character === ' ' || character === ',') && (!quoted || ended)) finish();
    else {
      if (ended) return 'dies';
      if (character === '\\' && quoted) {
        at++;
        if (at === text.length) return 'dies';
      }
      element += text.charAt(at);
    }
  }
  if (quoted && !ended) return 'dies';
  finish();
  return names;
}

/** settings_section_unescape() */
function undoSectionEscapes(text: string): string {
  let result = '';
  for (let at = 0; at < text.length; at++) {
    const next = text.charAt(at + 1);
    const meant = text[at] === '\\' ? { e: '=', s: '/', '\\': '\\', _: ' ', '+': ',', '.': '' }[next] : undefined;
    if (meant === undefined) result += text.charAt(at);
    else {
      result += meant;
      at++;
    }
  }
  return result;
}

export function once(names: readonly string[]): readonly string[] {
  return [...new Set(names)];
}

/** A line of the script-login protocol: user and fields behind `skip` words, escapes undone. */
export function readLine(line: string, skip: number): { readonly user: string; readonly fields: readonly Field[] } {
  const [user = '', ...words] = line.split('\t').slice(skip).map(undoTabEscapes);
  return { user, fields: words.map(fieldOf) };
}

/** A request of a mail process. */
export function writeRequest(user: string, fields: readonly Field[], remoteIp: string): string {
  const words = ['', remoteIp, user, ...fields.map(({ key, value }) => `${key}=${value}`)];
  return `${words.map(tabEscape).join('\t')}\n`;
}

function fieldOf(word: string): Field {
  const equals = word.indexOf('=');
  return equals < 0 ? { key: word, value: 'yes' } : { key: word.slice(0, equals), value: word.slice(equals + 1) };
}

const TAB_ESCAPES = [
  ['\u0001', '1'],
  ['\0', '0'],
  ['\t', 't'],
  ['\r', 'r'],
  ['\n', 'n'],
] as const;

function tabEscape(text: string): string {
  const escaped = (character: string): string => {
    const written = TAB_ESCAPES.find(([meant]) => meant === character)?.[1];
    return written === undefined ? character : `\u0001${written}`;
  };
  return Array.from(text, escaped).join('');
}

function undoTabEscapes(text: string): string {
  let result = '';
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\u0001') {
      at++;
      result += TAB_ESCAPES.find(([, written]) => written === text[at])?.[0] ?? text.charAt(at);
    } else result += text.charAt(at);
  }
  return result;
}
