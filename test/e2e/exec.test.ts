import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type Dovecot, startDovecot, VERSIONS } from '../support/dovecot.js';

describe.each(VERSIONS)('exec mode under Dovecot %s', (version) => {
  let dovecot: Dovecot;
  beforeAll(async () => {
    dovecot = await startDovecot({
      version,
      accounts: [{ name: 'alice', group: 'crew' }],
      groups: { crew: [], acct: ['alice'], sales: ['alice'], other: [] },
      postLogin: inject('installed')[version].command,
    });
  });
  afterAll(() => dovecot.stop());

  it('gives Dovecot exactly the groups that id names', async () => {
    const { stdout } = await dovecot.world.run(['id', '-Gnz', 'alice']);
    expect((await dovecot.groupsOf('alice')).toSorted()).toEqual(stdout.split('\0').slice(0, -1).toSorted());
  });
});
