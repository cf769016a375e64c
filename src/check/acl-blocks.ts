import { type Block, setting } from '../dovecot/doveconf.js';
import { groupInIdentifier } from './acl-file.js';
import { type Acls, gatherAcls, type NamedGroup } from './acls.js';
import type { DovecotFacts } from './facts.js';

/**
 * What the `acl` blocks of dovecot.conf say of groups, which Dovecot 2.4 has at the top, in mailboxes and in namespaces:
 * `acl group=staff { rights = lr }`, or with any name and `id = group=staff` in it (plugins/acl/acl-settings.c).
 */
export function aclsInDoveconf({ root, file, version }: DovecotFacts): Acls {
  if (version === '2.3') return gatherAcls([], 0, []);
  const blocks = [...aclBlocks(root, file)];
  const groups = blocks.flatMap(({ block, place }): readonly NamedGroup[] => {
    const line = groupInIdentifier(setting(block, 'id') ?? setting(block, 'acl_id') ?? block.label);
    return line === undefined ? [] : [{ ...line, place }];
  });
  return gatherAcls(groups, blocks.length, []);
}

function* aclBlocks(within: Block, place: string): Generator<{ readonly block: Block; readonly place: string }> {
  for (const block of within.blocks) {
    if (block.name === 'acl' && block.label !== '') yield { block, place };
    else yield* aclBlocks(block, `${place}, ${block.name}${block.label === '' ? '' : ` ${block.label}`}`);
  }
}
