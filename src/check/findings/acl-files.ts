import { groupsInAclFile, nearestName } from '../acl-file.js';
import { aclFilesAt } from '../acl-tree.js';
import { type Check, error, ok, type PlacedFinding, warning } from '../finding.js';
import { withRightsOf } from '../identity.js';
import { knownGroups } from '../known-groups.js';

/** Groups that ACL files name and no source has; and rights taken from groups, which a user regains whose groups are lost. */
export const aclFiles: Check = {
  name: 'acl-files',
  section: 'acl-files',
  async look(subject) {
    if (subject.acl.length === 0) return [];
    const findings: PlacedFinding[] = [];
    /** The files that name a group. */
    const named = new Map<string, string[]>();
    const negative = new Map<string, string[]>();
    let files = 0;
    for (const found of subject.acl.flatMap((path) => [...aclFilesAt(path)])) {
      if (found.text === undefined) {
        findings.push(warning(found.path, found.problem ?? ''));
        continue;
      }
      files++;
      for (const line of groupsInAclFile(found.text)) {
        note(named, line.group, found.path);
        if (line.negative) note(negative, line.group, found.path);
      }
    }
    const config = await subject.loadConfig();
    if (config instanceof Error)
      return [...findings, error(subject.configFile, "can't be used, so that groups can't be looked for; see above")];
    const known = await withRightsOf(subject.identity, () => knownGroups(config, [...named.keys()]));
    if (known.silent.length === 0)
      findings.push(
        ...[...named].filter(([group]) => !known.names.has(group)).map(([group, paths]) => unknownGroup(group, paths, known.names)),
      );
    else
      findings.push(
        ...known.silent.map((why) =>
          warning(`provider ${why.split(': ')[0]}`, `groups of ACL files can't be looked for: ${why.replace(/^[^:]*: /, '')}`),
        ),
      );
    for (const [group, paths] of negative) {
      findings.push(
        warning(
          placeOf(paths),
          `-group=${group} takes rights away: a user who loses the group, or whose groups are incomplete, gains them`,
          { what: 'give rights to groups instead; see on_error and on_incomplete' },
        ),
      );
    }
    return [ok(subject.acl.join(', '), `${files} ACL files name ${named.size} groups`), ...findings];
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

function note(map: Map<string, string[]>, group: string, path: string): void {
  const paths = map.get(group);
  if (paths === undefined) map.set(group, [path]);
  else if (!paths.includes(path)) paths.push(path);
}
