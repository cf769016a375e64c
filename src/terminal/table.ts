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
 * @param width columns of the terminal: the last column of a row that is as long as any is wrapped to stay within it, and what follows a
 * cell of more than half of it goes on the next line, so that one long name doesn't push everything off the screen; without, lines are as
 * long as they are
 */
export function formatTable(rows: readonly (readonly Cell[])[], paint: Paint, width?: number): string {
  const table = rows.map((row) => row.map(measure));
  const columns = Math.max(0, ...table.map((row) => row.length));
  const widest = width === undefined ? Number.POSITIVE_INFINITY : Math.floor(width / 2);
  const starts = [2];
  for (let column = 0; column < columns - 1; column++) {
    const fitting = table.map((row) => row[column]?.width ?? 0).filter((each) => each <= widest);
    starts.push((starts[column] ?? 0) + Math.max(0, ...fitting) + 2);
  }
  const before = starts[columns - 1] ?? 0;
  const room = width === undefined || width - before < NARROWEST ? Number.POSITIVE_INFINITY : width - before;
  return table
    .map((row) => {
      let text = '';
      let end = 0;
      for (const [column, cell] of row.entries()) {
        const start = starts[column] ?? 0;
        // Two blanks between cells; only one that was too wide leaves fewer.
        if (column > 0 && end + 2 > start) {
          text += '\n';
          end = 0;
        }
        const [first = '', ...rest] = column === columns - 1 ? wrapWords(cell.text, room) : [cell.text];
        const styled = (part: string): string => (cell.style === undefined ? part : paint(cell.style, part));
        text += ' '.repeat(start - end) + styled(first) + rest.map((part) => `\n${' '.repeat(before)}${styled(part)}`).join('');
        end = start + cell.width;
      }
      return `${text.replace(/ +$/gm, '')}\n`;
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
