import stringWidth from 'string-width';
import type { Section } from '../check/finding.js';
import type { Report } from '../check/run.js';
import { printable } from '../support/text.js';
import { type Paint, type Style, wrap } from './table.js';

const TITLES: Readonly<Record<Section, string>> = {
  configuration: 'Configuration',
  dovecot: 'Dovecot',
  service: 'Service',
  'acl-files': 'ACLs',
  machine: 'This machine',
};

const STYLES: Readonly<Record<Report['level'], Style>> = { ok: 'green', warning: 'yellow', error: 'red' };

/** Places that are longer have their message on the next line. */
const WIDEST_PLACE = 24;
const INDENT = 11;

/** Findings for people: a table for each section, what to do about a finding below it. What is to be pasted is never broken. */
export function formatFindings(reports: readonly Report[], paint: Paint, width: number): string {
  const sections = (Object.keys(TITLES) as Section[]).map((section) => reports.filter((report) => report.section === section));
  const blocks = sections.flatMap((found) => {
    const [first] = found;
    return first === undefined ? [] : [`${paint('bold', TITLES[first.section])}\n${formatSection(found, paint, width)}`];
  });
  return `${blocks.join('\n')}\n${summary(reports, paint)}\n`;
}

function formatSection(reports: readonly Report[], paint: Paint, width: number): string {
  const fitting = reports.map(({ place }) => stringWidth(printable(place))).filter((each) => each <= WIDEST_PLACE);
  const column = Math.max(0, ...fitting);
  return reports
    .map(({ level, place, message, fix }) => {
      const shown = printable(place);
      const blanks = ' '.repeat(INDENT + column + 2);
      const head = `  ${paint(STYLES[level], level)}${' '.repeat(INDENT - 2 - level.length)}${paint('bold', shown)}`;
      const text = wrap(message, width, { first: blanks, rest: blanks });
      const lines =
        stringWidth(shown) > column ? `${head}\n${text}` : `${head}${' '.repeat(column - stringWidth(shown) + 2)}${text.trimStart()}`;
      return lines + (fix === undefined ? '' : formatFix(fix, paint, width));
    })
    .join('');
}

/** Indented lines are what is to be pasted, nearly at the margin, so that a terminal's selection takes nothing else with them. */
function formatFix(fix: string, paint: Paint, width: number): string {
  const blanks = ' '.repeat(INDENT);
  const label = `  ${paint('cyan', 'fix')}${' '.repeat(INDENT - 5)}`;
  return fix
    .split('\n')
    .map((line, index) => {
      if (line.startsWith('  ') || line === '') return `${printable(line)}\n`;
      const text = wrap(line, width, { first: blanks, rest: blanks });
      return index === 0 ? `${label}${text.trimStart()}` : text;
    })
    .join('');
}

function summary(reports: readonly Report[], paint: Paint): string {
  const count = (level: Report['level']): number => reports.filter((report) => report.level === level).length;
  const [errors, warnings] = [count('error'), count('warning')];
  if (errors + warnings === 0) return paint('green', 'ok: nothing to do');
  const words = [
    ...(errors === 0 ? [] : [paint('red', `${errors} error${errors === 1 ? '' : 's'}`)]),
    ...(warnings === 0 ? [] : [paint('yellow', `${warnings} warning${warnings === 1 ? '' : 's'}`)]),
  ];
  return words.join(', ');
}
