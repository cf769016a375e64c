import type { VersionFound } from '../dovecot/version.js';
import type { LoginAnswer } from '../login/answer.js';
import type { ProviderReport, SourcedGroup } from '../login/resolve.js';
import { printable } from '../support/text.js';
import { type Cell, formatTable, type Paint, type Style } from './table.js';

/** One user's answer for people: who said what, the groups, what was skipped and why, and the exact value for Dovecot. `width`: columns of the terminal. */
export function formatAnswer(user: string, answer: LoginAnswer, paint: Paint, width?: number): string {
  const { groups, skipped, providers } = answer;
  const tables = [
    titled(['provider', 'says', 'in'], providers.map(providerRow)),
    titled(['group', 'from'], groups.map(groupRow)),
    titled(
      ['skipped', 'from', 'because'],
      skipped.map(({ name, provider, reason, wanted }) => [[visible(name), wanted ? 'dim' : 'yellow'], provider, reason]),
    ),
  ];
  const blocks = tables.filter((rows) => rows.length > 0).map((rows) => formatTable(rows, paint, width));
  // The value stays whole, for copying.
  return `${paint('bold', printable(user))}\n${[...blocks, formatTable(summary(answer), paint)].join('\n')}\n`;
}

function titled(titles: readonly string[], rows: readonly (readonly Cell[])[]): readonly (readonly Cell[])[] {
  return rows.length === 0 ? [] : [titles.map((title) => [title, 'dim'] as const), ...rows];
}

const OUTCOME_STYLES: Readonly<Record<ProviderReport['outcome'], Style>> = { found: 'green', 'unknown-user': 'yellow', error: 'red' };

function providerRow({ name, outcome, elapsed_ms, error }: ProviderReport): readonly Cell[] {
  const cells: Cell[] = [name, [outcome, OUTCOME_STYLES[outcome]], `${elapsed_ms.toFixed(1)} ms`];
  return error === undefined ? cells : [...cells, [error, 'red']];
}

function groupRow({ name, provider, gid, dn }: SourcedGroup): readonly Cell[] {
  const id = dn ?? (gid === undefined ? undefined : `gid ${gid}`);
  return id === undefined ? [[visible(name), 'bold'], provider] : [[visible(name), 'bold'], provider, [id, 'dim']];
}

/** What a login would be told. For an unknown user, and for one who is denied, no door sets anything. */
function summary({ verdict, value, versionMatters, dovecot, providers }: LoginAnswer): readonly (readonly Cell[])[] {
  if (verdict === 'deny') return [labelled('login', ['denied, because a provider failed (on_error = "deny")', 'red'])];
  if (verdict === 'unknown')
    return [labelled('acl_groups', ['not set: no provider knows this user, who logs in without groups', 'yellow'])];
  const failed = providers.some(({ outcome }) => outcome === 'error');
  return [
    ...(failed ? [labelled('login', ['goes on without the groups of a provider that failed (on_error = "continue")', 'yellow'])] : []),
    labelled('acl_groups', value === '' ? ['(empty)', 'dim'] : [value, 'cyan']),
    labelled('Dovecot', versionMatters ? versionText(dovecot) : 'any version: no name needs quoting'),
  ];
}

function labelled(label: string, cell: Cell): readonly Cell[] {
  return [[label, 'dim'], cell];
}

function versionText(found: VersionFound | undefined): Cell {
  if (found === undefined)
    return ['unknown: neither -D nor dovecot_version nor DOVECOT_VERSION says, and no dovecot program was found', 'yellow'];
  const { version, source, text } = found;
  return text === version ? `${version}, by ${source}` : `${version}, by ${source}: ${text}`;
}

/** A name as it is, or in quotes where its ends couldn't be seen. */
function visible(name: string): string {
  return name === '' || name.trim() !== name ? `"${name}"` : name;
}
