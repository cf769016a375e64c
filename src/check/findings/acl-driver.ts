import { blocksOf, setting } from '../../dovecot/doveconf.js';
import { block, paste } from '../blocks.js';
import type { Check } from '../check.js';
import { error, ok } from '../finding.js';

/** Whether the ACL plugin has somewhere to read ACLs from; without that it is as good as off. */
export const aclDriver: Check = {
  name: 'acl-driver',
  section: 'dovecot',
  look({ facts }) {
    if (facts === undefined) return [];
    const { root, version } = facts;
    const name = version === '2.3' ? 'plugin/acl' : 'acl_driver';
    const value =
      version === '2.3' ? blocksOf(root, 'plugin').flatMap((plugin) => setting(plugin, 'acl') ?? [])[0] : setting(root, 'acl_driver');
    if (value !== undefined && value !== '') return [ok(name, value)];
    const lines = version === '2.3' ? block('plugin', ['acl = vfile']) : ['acl_driver = vfile'];
    return [error(name, "isn't set: the ACL plugin reads no ACLs", paste(facts, lines))];
  },
};
