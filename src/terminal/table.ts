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

/** Rows as lines with aligned columns, by the width that a terminal gives to characters. The last column is as long as it is. */
export function formatTable(rows: readonly (readonly Cell[])[], paint: Paint): string {
  const table = rows.map((row) => row.map(measure));
  const widths: number[] = [];
  for (const row of table) {
    for (const [column, { width }] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, width);
  }
  return table
    .map((row) => {
      const line = row.map(({ text, width, style }, column) => {
        const blanks = column === row.length - 1 ? '' : ' '.repeat((widths[column] ?? 0) - width);
        return (style === undefined ? text : paint(style, text)) + blanks;
      });
      return `${`  ${line.join('  ')}`.trimEnd()}\n`;
    })
    .join('');
}

function measure(cell: Cell): { readonly text: string; readonly width: number; readonly style: Style | undefined } {
  const [raw, style] = typeof cell === 'string' ? [cell, undefined] : cell;
  const text = printable(raw);
  return { text, width: stringWidth(text), style };
}
