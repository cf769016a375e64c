import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Dovecot, startDovecot, VERSIONS } from '../support/dovecot.js';
import { serveBlock } from '../support/serve.js';

/** Groups that a userdb had given already, in each version's notation, and what Dovecot alone makes of them. */
const GIVEN = {
  // The passwd-file userdb undoes one layer of percent signs itself.
  '2.3': { value: 'staff,50%%%%,%%u,"q",Domain', groups: ['staff', '50%', 'alice@example.com', '"q"', 'Domain'] },
  '2.4': { value: 'staff,50%,"a,b","c\\\\\\\\sd",e\\sf', groups: ['staff', '50%', 'a,b', 'c\\sd', 'e/f'] },
} as const;

/** Groups that a userdb had given in several spellings: what Dovecot alone makes of them, and what there is of them. */
const SPELLINGS = {
  '2.3': { fields: { acl_groups: 'first', 'plugin/acl_groups': 'second,staff' }, alone: ['second', 'staff'], all: ['first', 'second'] },
  '2.4': {
    fields: { acl_groups: 'first', 'acl_groups/second': 'yes', 'acl_groups/no': 'no', 'set/acl_groups': 'third' },
    alone: ['first'],
    all: ['first', 'second', 'third'],
  },
} as const;

/** Groups of everybody to whom the userdb gives none. */
const EVERYBODY = { '2.3': 'plugin {\n  acl_groups = everybody\n}\n', '2.4': 'acl_groups = everybody\n' };

describe.each(VERSIONS)('groups of the userdb and of the file provider under Dovecot %s', (version) => {
  const { value, groups } = GIVEN[version];
  const members = ['alice@example.com', 'bob@example.com', 'erin@example.com', 'fred@example.com'].join(',');
  const etc = {
    'acl-groups.toml': 'providers = ["file"]\n[provider.file]\npath = "virtual-groups"\n',
    'virtual-groups': `staff:x::${members}\nDomain Users:x::${members}\n100%:x::${members}\nnobody's:x::carol@example.com\n`,
  };
  const virtualUsers = [
    { name: 'alice@example.com', fields: { acl_groups: value } },
    // 2.3 passes over a variable without a name at the end, and takes a comma for its name.
    { name: 'erin@example.com', fields: { acl_groups: version === '2.3' ? 'x,50%%' : 'x,50%' } },
    { name: 'fred@example.com', fields: SPELLINGS[version].fields },
    { name: 'bob@example.com' },
    { name: 'dave@example.com' },
  ];

  describe.each(['exec', 'serve', 'no'] as const)('%s mode', (mode) => {
    let dovecot: Dovecot;
    beforeAll(async () => {
      const { command } = inject('installed')[version];
      const ways = {
        exec: { postLogin: command, config: EVERYBODY[version] },
        serve: { postLoginSocket: 'acl-groups', config: serveBlock(version, command) + EVERYBODY[version] },
        no: { config: EVERYBODY[version] },
      };
      dovecot = await startDovecot({ version, virtualUsers, etc, ...ways[mode] });
    });
    afterAll(() => dovecot.stop());

    const added = mode === 'no' ? [] : ['Domain Users', '100%'];

    it('keeps what the userdb gave, and adds what it does not have yet', async () => {
      const found = await dovecot.groupsOf('alice@example.com');
      // 2.4 sorts them.
      expect(version === '2.4' ? found.toSorted() : found).toEqual(
        version === '2.4' ? [...groups, ...added].toSorted() : [...groups, ...added],
      );
    });

    it('takes what the userdb gave as Dovecot does, though it ends within a variable', async () => {
      const given = ['x', version === '2.3' ? '50' : '50%'];
      expect([...(await dovecot.groupsOf('erin@example.com'))].sort()).toEqual(
        (mode === 'no' ? given : [...given, 'staff', ...added]).sort(),
      );
    });

    it('makes one list of what the userdb gave in several spellings', async () => {
      const { alone, all } = SPELLINGS[version];
      const found = await dovecot.groupsOf('fred@example.com');
      expect(found.toSorted()).toEqual((mode === 'no' ? [...alone] : [...all, 'staff', ...added]).toSorted());
    });

    it('leaves the groups of dovecot.conf to a user whom no provider knows', async () => {
      expect(await dovecot.groupsOf('dave@example.com')).toEqual(['everybody']);
    });

    if (mode === 'no') return;

    it('gives virtual users the groups of their whole address', async () => {
      expect((await dovecot.groupsOf('bob@example.com')).toSorted()).toEqual(['100%', 'Domain Users', 'staff']);
    });

    if (mode === 'serve') return;

    // The service answers from its cache for a while.
    it('sees a change of the file at the next login', async () => {
      await writeFile(join(dovecot.world.etc, 'virtual-groups'), 'new:x::dave@example.com\n');
      expect(await dovecot.groupsOf('dave@example.com')).toEqual(['new']);
    });
  });
});
