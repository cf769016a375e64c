import stringWidth from 'string-width';
import { printable } from '../support/text.js';

/** How a cell looks where there are colours: the names that node:util's styleText has. */
export type Style = 'bold' | 'dim' | 'green' | 'yellow' | 'red' | 'cyan';

/** A text, and its style. A text may be anything: control characters are shown, not obeyed. */
export type Cell = string | readonly [text: string, style: Style];

/** Gives a text a style, or leaves it as it is. */
export type Paint = (style: Style, text: string) => string;

/** No colours: for pipes, for NO_COLOR, for terminals without. */
export const PLAIN: Paint = (_style, text) => text;

/** How narrow the last column may become before its lines are left as long as they are. */
const NARROWEST = 20;

/**
 * Rows as lines with aligned columns, by the width that a terminal gives to characters.
 * @param width columns of the terminal: the last column of a row that is as long as any is wrapped to stay within it; without, it is as long as it is
 */
export function formatTable(rows: readonly (readonly Cell[])[], paint: Paint, width?: number): string {
  const table = rows.map((row) => row.map(measure));
  const columns = Math.max(0, ...table.map((row) => row.length));
  const widths: number[] = [];
  for (const row of table) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.width);
  }
  const before = widths.slice(0, columns - 1).reduce((sum, one) => sum + one + 2, 2);
  const room = width === undefined || width - before < NARROWEST ? Number.POSITIVE_INFINITY : width - before;
  return table
    .map((row) => {
      const last = row.length === columns ? row.at(-1) : undefined;
      const [first = '', ...rest] = last === undefined ? [] : wrapWords(last.text, room);
      const line = row.map(({ text, width, style }, column) => {
        const shown = column === columns - 1 ? first : text;
        const blanks = column === row.length - 1 ? '' : ' '.repeat((widths[column] ?? 0) - width);
        return (style === undefined ? shown : paint(style, shown)) + blanks;
      });
      const more = rest.map((text) => `${' '.repeat(before)}${last?.style === undefined ? text : paint(last.style, text)}\n`);
      return `${`  ${line.join('  ')}`.trimEnd()}\n${more.join('')}`;
    })
    .join('');
}

/** A text in lines of at most `width` columns, broken at blanks. A word that is longer stays whole: it may be what somebody copies. */
function wrapWords(text: string, width: number): readonly string[] {
  if (stringWidth(text) <= width) return [text];
  const lines: string[] = [];
  let line: string | undefined;
  for (const word of text.split(' ')) {
    const longer: string = line === undefined ? word : `${line} ${word}`;
    if (line !== undefined && stringWidth(longer) > width) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line ?? ''];
}

/**
 * A text in lines of at most `width` columns.
 * @param indent what the first line, and those after it, begin with; both take as many columns
 */
export function wrap(text: string, width: number, indent: { readonly first: string; readonly rest: string }): string {
  return wrapWords(printable(text), width - indent.rest.length)
    .map((line, index) => `${index === 0 ? indent.first : indent.rest}${line}`.trimEnd())
    .map((line) => `${line}\n`)
    .join('');
}

function measure(cell: Cell): { readonly text: string; readonly width: number; readonly style: Style | undefined } {
  const [raw, style] = typeof cell === 'string' ? [cell, undefined] : cell;
  const text = printable(raw);
  return { text, width: stringWidth(text), style };
}
