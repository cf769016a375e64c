import { nearestName } from '../acl-file.js';
import { joinAcls } from '../acls.js';
import type { Check } from '../check.js';
import { error, ok, type PlacedFinding, warning } from '../finding.js';

/** Groups that ACL files, or acl blocks of dovecot.conf, name and no source has; and rights taken from groups, which a user regains whose groups are lost. */
export const aclFiles: Check = {
  name: 'acl-files',
  section: 'acl-files',
  async look(subject) {
    const { files, blocks } = subject.acls;
    if (subject.acl.length === 0 && blocks.named.size === 0) return [];
    const { named, negative } = joinAcls([files, blocks]);
    const findings: PlacedFinding[] = [
      ...(subject.acl.length === 0
        ? []
        : [ok(subject.acl.join(', '), `ACL files: ${files.count}; groups that they name: ${files.named.size}`)]),
      ...(blocks.count === 0
        ? []
        : [ok(subject.facts?.file ?? '', `acl blocks: ${blocks.count}; groups that they name: ${blocks.named.size}`)]),
      ...files.unread.map(({ path, problem }) => warning(path, problem)),
    ];
    const { config, known } = await subject.serviceView();
    if (config === undefined) return [...findings, error(subject.configFile, "can't be used, so that groups can't be looked for")];
    if (known !== undefined && known.silent.length > 0) {
      findings.push(...known.silent.map((why) => warning('providers', `groups of ACLs can't be looked for: ${why}`)));
    } else if (known !== undefined) {
      const names = new Set(known.names);
      findings.push(...[...named].filter(([group]) => !names.has(group)).map(([group, paths]) => unknownGroup(group, paths, names)));
    }
    const taken = [...negative].map(([group, paths]) =>
      warning(placeOf(paths), `-group=${group} takes rights away: a user who loses the group, or whose groups are incomplete, gains them`, {
        what: 'give rights to groups instead; see on_error and on_incomplete',
      }),
    );
    return [...findings, ...taken];
  },
};

function unknownGroup(group: string, paths: readonly string[], names: ReadonlySet<string>): PlacedFinding {
  const nearest = nearestName(group, names);
  const message = `group "${group}" is in no source`;
  if (nearest === undefined) return warning(placeOf(paths), message, { what: 'correct the name, or create the group' });
  return warning(placeOf(paths), `${message}; the nearest is "${nearest}"`, { what: `if that is meant, write group=${nearest}` });
}

function placeOf([first = '', ...more]: readonly string[]): string {
  return more.length === 0 ? first : `${first} and ${more.length} more`;
}
