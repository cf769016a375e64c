import { strictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { appendAclGroups, formatAclGroups, isRefused, parseAclGroups, readGivenList } from '../../../src/dovecot/notation.js';
import { groupName, PIECES } from '../../support/names.js';
import type { Target } from '../target.js';

/*
 * The value of acl_groups, read and written. Names are texts here, not bytes. Dovecot itself is asked about samples by `npm run fidelity`.
 */

const ESCAPES: Readonly<Record<string, string>> = { e: '=', s: '/', '\\': '\\', _: ' ', '+': ',', '.': '' };

/**
 * What Dovecot 2.4 reads, said a second time: settings_parse_boollist_string and settings_section_unescape (lib-settings/settings-parser.c),
 * character by character as they go. `undefined` for a value that it refuses.
 */
function read24(value: string): readonly string[] | undefined {
  const text = value.startsWith('inline:') ? `\n${value.slice(7)}` : value;
  const names: string[] = [];
  let at = 0;
  const undo = (written: string): string => {
    let name = '';
    for (let index = 0; index < written.length; index++) {
      const escaped = written[index] === '\\' ? ESCAPES[written[index + 1] ?? ''] : undefined;
      name += escaped ?? written[index];
      if (escaped !== undefined) index++;
      else if (written[index] === '\\' && index + 1 < written.length) name += written[++index];
    }
    return name;
  };
  while (at < text.length) {
    let name = '';
    if (text[at] === '"') {
      for (at++; text[at] !== '"'; at++) {
        if (text[at] === '\\') at++;
        if (at >= text.length) return undefined;
        name += text[at];
      }
      at++;
      if (at < text.length && text[at] !== ',' && text[at] !== ' ') return undefined;
      names.push(undo(name));
    } else {
      for (; at < text.length && text[at] !== ',' && text[at] !== ' '; at++) {
        if (text[at] === '"') return undefined;
        name += text[at];
      }
      if (name !== '') names.push(undo(name));
    }
    at++;
  }
  return names;
}

/** Names with nothing between that one of them may hold. */
const list = (names: readonly string[]): string => JSON.stringify(names);
const VERSIONS = ['2.3', '2.4', undefined] as const;

function checkValue(value: string): void {
  strictEqual(list(parseAclGroups(value, '2.4')), list(read24(value) ?? []));
  strictEqual(isRefused(value, '2.4'), read24(value) === undefined);
  for (const version of VERSIONS) {
    const names = parseAclGroups(value, version);
    const written = formatAclGroups(names, version);
    const left = new Set(written.skipped.map(({ name }) => name));
    const rest = names.filter((name) => !left.has(name));
    strictEqual(list(parseAclGroups(written.value, version)), list(rest));
    if (version === undefined) {
      if (names.length > 0) for (const known of ['2.3', '2.4'] as const) strictEqual(list(parseAclGroups(value, known)), list(names));
      continue;
    }
    // A list that 2.4 refuses, or one with variables of 2.3, stays as it is.
    if (!isRefused(value, version) && !(version === '2.3' && value.includes('%'))) {
      strictEqual(list(parseAclGroups(appendAclGroups(value, written.value, version), version)), list([...names, ...rest]));
      if (left.size === 0) strictEqual(list(parseAclGroups(readGivenList(value, version, new Set()), version)), list([...new Set(names)]));
    }
  }
}

/** Any text as a value that a userdb gave. */
export const givenValue: Target = {
  name: 'value',
  inputs: fc.oneof(
    fc.array(fc.constantFrom(...PIECES), { maxLength: 8 }).map((pieces) => pieces.join('')),
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.array(groupName, { maxLength: 4 }).map((names) => formatAclGroups(names, '2.4').value),
    fc.array(groupName, { maxLength: 4 }).map((names) => names.join(',')),
  ),
  tokens: PIECES,
  check: checkValue,
};

/** Names, one a line, as a provider gives them. */
export const names: Target = {
  name: 'names',
  inputs: fc.array(groupName, { maxLength: 8 }).map((given) => given.join('\n')),
  tokens: [...PIECES, '\n'],
  check(input) {
    const given = input.split('\n');
    for (const version of VERSIONS) {
      const { value, skipped } = formatAclGroups(given, version);
      const left = new Set(skipped.map(({ name }) => name));
      const written = list(given.filter((name) => !left.has(name)));
      strictEqual(list(parseAclGroups(value, version)), written);
      // What is written without a version means the same to both.
      if (version === undefined) for (const known of ['2.3', '2.4'] as const) strictEqual(list(parseAclGroups(value, known)), written);
      if (version === '2.4') strictEqual(list(read24(value) ?? ['refused']), written);
    }
  },
};
