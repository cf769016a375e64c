import { type Block, blocksOf, listSetting } from '../../dovecot/doveconf.js';
import { block, paste } from '../blocks.js';
import type { Check } from '../check.js';
import type { DovecotFacts } from '../facts.js';
import { error, ok, warning } from '../finding.js';

/** Those whose processes open mailboxes. */
const PROTOCOLS = ['imap', 'pop3', 'lmtp'];

/** Whether Dovecot looks at ACLs at all, and for which protocols. */
export const aclPlugin: Check = {
  name: 'acl-plugin',
  section: 'dovecot',
  look({ facts }) {
    if (facts === undefined) return [];
    const served = PROTOCOLS.filter((protocol) => facts.protocols.includes(protocol));
    const without = served.filter((protocol) => !pluginsOf(facts, protocol).includes('acl'));
    if (without.length === 0) return [ok('mail_plugins', `the ACL plugin is on: ${served.join(', ') || 'globally'}`)];
    const consequence = 'there Dovecot looks at no ACL: groups mean nothing';
    if (without.length === served.length) {
      // Lists of their own have been made of the global one as it was.
      const apart = served.filter((protocol) => protocolBlocks(facts, protocol).some(({ values }) => values.has('mail_plugins')));
      const lines = [pluginLines(facts), ...apart.map((protocol) => block(`protocol ${protocol}`, pluginLines(facts)))].flat();
      return [error('mail_plugins', `the ACL plugin is off; ${consequence}`, paste(facts, lines))];
    }
    const fix = paste(
      facts,
      without.flatMap((protocol) => block(`protocol ${protocol}`, pluginLines(facts))),
    );
    return [warning('mail_plugins', `the ACL plugin is off for ${without.join(', ')}; ${consequence}`, fix)];
  },
};

function pluginsOf(facts: DovecotFacts, protocol: string): readonly string[] {
  const global = listSetting(facts.root, 'mail_plugins') ?? [];
  return protocolBlocks(facts, protocol).reduce((names, block) => listSetting(block, 'mail_plugins', names) ?? names, global);
}

function protocolBlocks({ root }: DovecotFacts, protocol: string): readonly Block[] {
  return blocksOf(root, 'protocol').filter(({ label }) => label === protocol);
}

function pluginLines({ version }: DovecotFacts): readonly string[] {
  return version === '2.3' ? ['mail_plugins = $mail_plugins acl'] : block('mail_plugins', ['acl = yes']);
}
