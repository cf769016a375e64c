import { type Block, blocksOf, rawSetting } from '../../dovecot/doveconf.js';
import { type DovecotVersion, parseAclGroups } from '../../dovecot/notation.js';
import type { Check } from '../check.js';
import { error, ok } from '../finding.js';

/** Groups that dovecot.conf gives everybody: a userdb field replaces them. */
export const ownGroups: Check = {
  name: 'own-groups',
  section: 'dovecot',
  async look(subject) {
    const { facts } = subject;
    if (facts === undefined) return [];
    const { root, version } = facts;
    const everywhere = [root, ...blocksOf(root, 'protocol')].flatMap((block) => (version === '2.3' ? blocksOf(block, 'plugin') : [block]));
    const names = [...new Set(everywhere.flatMap((block) => groupsIn(block, version)))];
    if (names.length === 0) return [];
    const place = version === '2.3' ? 'plugin/acl_groups' : 'acl_groups';
    const added = (await subject.serviceView()).config?.add ?? [];
    const lost = names.filter((name) => !added.includes(name));
    if (lost.length === 0) return [ok(place, 'has no effect any more; its groups are in [groups] add')];
    return [
      error(
        place,
        `is set in dovecot.conf, and replaced by what acl-groups gives: users lose ${lost.map((name) => `"${name}"`).join(', ')}`,
        {
          what: `in [groups] of ${subject.configFile}, set`,
          lines: [`add = ${JSON.stringify([...added, ...lost])}`],
        },
      ),
    ];
  },
};

function groupsIn(block: Block, version: DovecotVersion): readonly string[] {
  const value = rawSetting(block, 'acl_groups');
  const listed = blocksOf(block, 'acl_groups').flatMap(({ values }) =>
    [...values].flatMap(([name, word]) => (word === 'no' ? [] : [name])),
  );
  return [...(value === undefined ? [] : parseAclGroups(value, version)), ...listed];
}
