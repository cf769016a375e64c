import { hasControlCharacters, isUnicode } from '../support/text.js';

/** The Dovecot versions that read `acl_groups` differently. */
export type DovecotVersion = '2.3' | '2.4';

/** A name that can't be in a value, and why. */
export interface Inexpressible {
  readonly name: string;
  readonly reason: string;
}

/** Whether a name means the same to every version as it stands, wherever it stands: nothing in it that one of them reads as something else. */
export function isPlain(name: string): boolean {
  return !/[ ,"%\\]/.test(name) && !name.startsWith(INLINE_24);
}

/** Whether a value means the same names to every version. A comma isn't nothing: `inline,:` does not begin with what 2.4 has a meaning for. */
export function isPlainList(value: string): boolean {
  return isPlain(value.replaceAll(',', ';'));
}

/**
 * At the start of a value that overrides a setting, 2.4 takes this for the contents of a file, and reads a newline in its place
 * (lib-settings/settings.c, settings_override_get_value; SET_FILE_INLINE_PREFIX). It is the only such word: those of the configuration
 * file (`<file`, `$SET:`, `%{…}`) are undone before, by the config process alone.
 */
const INLINE_24 = 'inline:';

/**
 * The value of `acl_groups` that a Dovecot of this version reads as these names, and the names that it can't be told.
 *
 * 2.3 (plugins/acl/acl-storage.c) splits at commas, after lib/var-expand.c has put values in place of `%` variables. Blanks and
 * everything else are part of the name, and nothing makes a comma one.
 *
 * 2.4 (lib-settings/settings-parser.c, settings_parse_boollist_string) splits at commas and blanks outside of `"…"`. In quotes a
 * backslash takes the next character as it is. A quote anywhere else ends the login. What comes out of that is unescaped once
 * more (settings_section_unescape), where `\s` is `/` and `\\` is `\`. Variables are not expanded in what a userdb says. A name that
 * starts with `inline:` is always quoted, so that it may become the start of the value.
 */
export function formatAclGroups(
  names: readonly string[],
  version: DovecotVersion | undefined,
): { readonly value: string; readonly skipped: readonly Inexpressible[] } {
  const written: string[] = [];
  const skipped: Inexpressible[] = [];
  for (const name of names) {
    const reason = whyInexpressible(name, version);
    if (reason !== undefined) skipped.push({ name, reason });
    else written.push(formatName(name, version));
  }
  return { value: written.join(','), skipped };
}

/**
 * The names that a Dovecot of this version reads in a value. Left out is what only Dovecot knows: on 2.3 what a variable stands
 * for, everything in a value that 2.4 refuses, and, without a version, everything in a value that versions read differently.
 */
export function parseAclGroups(value: string, version: DovecotVersion | undefined): readonly string[] {
  switch (version) {
    case '2.3':
      return parse23(value);
    case '2.4':
      return parse24(value) ?? [];
    default:
      return isPlainList(value) ? value.split(',').filter((name) => name !== '') : [];
  }
}

/**
 * A value with more names at its end. The first one stays as it is, to the byte: it may hold variables, or be in the notation
 * of a version that isn't known, and a comma is what follows a name in all of them, but for 2.3 behind an unfinished variable.
 */
export function appendAclGroups(value: string, more: string, version: DovecotVersion | undefined): string {
  if (value === '' || more === '') return value + more;
  return `${value}${version === '2.3' && endsInVariable(value) ? NOTHING_23 : ''},${more}`;
}

/**
 * What a further list that the userdb gave adds to the names that are known, which become more: its new names, in this version's notation.
 * What only Dovecot can read of it stays as it is, and so does a list that Dovecot refuses.
 */
export function readGivenList(value: string, version: DovecotVersion, known: Set<string>): string {
  const isNew = (name: string): boolean => {
    if (known.has(name)) return false;
    known.add(name);
    return true;
  };
  if (version === '2.3') {
    // A long variable may hold commas of its own.
    if (value.replaceAll('%%', '').includes('%{')) return value;
    // As they are written: an unfinished variable at the end is one to appendAclGroups().
    return value
      .split(',')
      .filter((written) => written !== '' && isNew(parse23(written)[0] ?? `variable ${written}`))
      .join(',');
  }
  const { value: written, skipped } = formatAclGroups((parse24(value) ?? []).filter(isNew), version);
  return skipped.length > 0 || isRefused(value, version) ? undoInline(value) : written;
}

/** Whether a login with this value ends with an error. Known of 2.4 alone: on 2.3 that depends on variables. */
export function isRefused(value: string, version: DovecotVersion): boolean {
  return version === '2.4' && parse24(value) === undefined;
}

/** A name as a key of 2.4 has it: the last part of acl_groups/NAME. */
export function parseSectionName(written: string): string {
  return unescapeSection(written);
}

function undoInline(value: string): string {
  return value.startsWith(INLINE_24) ? `\n${value.slice(INLINE_24.length)}` : value;
}

/**
 * Whether a value ends within a variable of 2.3, such as `50%`. lib/var-expand.c passes over that at the end of a value, and fails
 * the login where anything follows: a comma, too.
 */
export function endsInVariable(value: string): boolean {
  return UNFINISHED_23.test(value);
}

/** Text and whole variables, then one without its name. Modifiers that make something of nothing are left to fail. */
const UNFINISHED_23 = /^(?:[^%]|%-?[\d.]*[LUEXRNHMDT]*(?:\{[^}]*\}|[^-\d.LUEXRNHMDT{]))*%-?[\d.]*[LUERT]*$/s;

/** Makes an unfinished variable one that stands for nothing. */
const NOTHING_23 = '{env:ACL_GROUPS_NOTHING}';

function whyInexpressible(name: string, version: DovecotVersion | undefined): string | undefined {
  if (name === '') return 'it has no name';
  if (hasControlCharacters(name)) return 'its name holds control characters';
  if (!isUnicode(name)) return 'its name is not valid UTF-8';
  if (version === '2.3' && name.includes(','))
    return 'Dovecot 2.3 takes a comma as the end of a name; rename it in [groups] or at its source';
  if (version === undefined && !isPlain(name)) {
    return "Dovecot 2.3 and 2.4 read its name differently, and which one is here can't be found out; set dovecot_version, or use -D";
  }
  return undefined;
}

function formatName(name: string, version: DovecotVersion | undefined): string {
  if (version === '2.3') return name.replaceAll('%', '%%');
  if (version === '2.4' && (/[ ,"\\]/.test(name) || name.startsWith(INLINE_24))) {
    // A backslash is undone twice, so one takes four.
    return `"${name.replaceAll('\\', '\\\\\\\\').replaceAll('"', '\\"')}"`;
  }
  return name;
}

function parse23(value: string): readonly string[] {
  const literals = value.replaceAll('%%', '');
  // A long variable may hold commas of its own.
  if (literals.includes('%{')) return [];
  return value
    .split(',')
    .filter((name) => name !== '' && !name.replaceAll('%%', '').includes('%'))
    .map((name) => name.replaceAll('%%', '%'));
}

/** One name of 2.4, quoted or not, or nothing, and what ends it. */
const ELEMENT_24 = /(?:"((?:[^"\\]|\\.)*)"|([^ ,"][^ ,"]*)|)([ ,]|$)/sy;

/** `undefined` for a value that Dovecot refuses. */
function parse24(value: string): readonly string[] | undefined {
  const text = undoInline(value);
  const names: string[] = [];
  const element = new RegExp(ELEMENT_24);
  for (let end: string | undefined; end !== ''; ) {
    const match = element.exec(text);
    if (match === null) return undefined;
    const [, quoted, bare] = match;
    end = match[3] ?? '';
    const name = quoted?.replace(/\\(.)/gs, '$1') ?? bare;
    if (name !== undefined) names.push(unescapeSection(name));
  }
  return names;
}

/** settings_section_unescape: an unknown sequence stays as it is. */
const SECTION_ESCAPES: Readonly<Record<string, string>> = { e: '=', s: '/', '\\': '\\', _: ' ', '+': ',', '.': '' };

function unescapeSection(text: string): string {
  return text.replace(/\\(.)/gs, (sequence, character: string) => SECTION_ESCAPES[character] ?? sequence);
}
