import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Dovecot, startDovecot, VERSIONS } from '../support/dovecot.js';
import { serveBlock } from '../support/serve-block.js';

describe.each(VERSIONS)('serve mode under Dovecot %s', (version) => {
  let dovecot: Dovecot;
  beforeAll(async () => {
    dovecot = await startDovecot({
      version,
      accounts: [{ name: 'alice', group: 'crew' }],
      groups: { crew: [], acct: ['alice'], 'Domain Users': ['alice'], other: [] },
      postLoginSocket: 'acl-groups',
      config: serveBlock(version, inject('installed')[version].command),
    });
  });
  afterAll(() => dovecot.stop());

  it('gives Dovecot exactly the groups that id names', async () => {
    const { stdout } = await dovecot.world.run(['id', '-Gnz', 'alice']);
    expect((await dovecot.groupsOf('alice')).toSorted()).toEqual(stdout.split('\0').slice(0, -1).toSorted());
  });
});
