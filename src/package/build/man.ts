import remarkMan from 'remark-man';
import remarkParse from 'remark-parse';
import { unified } from 'unified';

/** Where a page belongs and what says so at its foot. */
export interface ManPage {
  readonly name: string;
  readonly section: number;
  readonly version: string;
  /** Of the release: the same for each build. */
  readonly date: string;
}

/**
 * A manual page in man(7) macros from Markdown, by remark-man. What it writes is right but for lint: paragraph macros behind headings,
 * which do nothing, and hyphens that a terminal would turn into others, which nobody could copy.
 */
export function manPage(markdown: string, { name, section, version, date }: ManPage): string {
  const page = unified()
    .use(remarkParse)
    .use(remarkMan, { name, section, date, version: `acl-groups ${version}`, manual: 'acl-groups' })
    .processSync(withoutMarks(markdown));
  const lines = String(page)
    .replace(/^\.TH .*$/m, `.TH "${name}" "${section}" "${date}" "acl-groups ${version}" "acl-groups"`)
    .replace(/^(\.S[HS] .*)\n\.P$/gm, '$1')
    .split('\n');
  let literal = false;
  return lines
    .map((line) => {
      if (line === '.nf' || line === '.fi') literal = line === '.nf';
      if (literal) return line.replaceAll('-', '\\-');
      return heading(line).replace(/\\fB.*?\\fR/g, (bold) => bold.replaceAll('-', '\\-'));
    })
    .filter((line, index, all) => line !== '' || all.slice(0, index).lastIndexOf('.nf') > all.slice(0, index).lastIndexOf('.fi'))
    .join('\n')
    .concat('\n');
}

/** A heading's line as it has to be: quotes inside of an argument, and the name of a table, which capitals would make another. */
function heading(line: string): string {
  const [, macro, text = ''] = /^\.(S[HS]) "(.*)"$/.exec(line) ?? [];
  if (macro === undefined) return line;
  const cased = text.startsWith('\\[LB]') ? text.toLowerCase().replace(/\\\[([lr])b\]/g, '\\[$1B]') : text;
  return `.${macro} "${cased.replace(/\\?"/g, '\\(dq')}"`;
}

/** Marks of generated text, and links between the pages, which a terminal can't follow: their words say what they lead to. */
function withoutMarks(markdown: string): string {
  return markdown.replace(/<!--.*?-->\n*/gs, '').replace(/\[([^\]]+)\]\([\w.-]+\.md(#[\w-]+)?\)/g, '$1');
}
