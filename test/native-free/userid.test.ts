import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { answers, gids, groupnames } from '../../native-free/userid.js';

const never = new AbortController().signal;

describe('the stand-in for userid', () => {
  it("knows the machine's own accounts and groups", async () => {
    expect((await gids('root', never))?.[0]).toBe(0);
    const [name = ''] = /^[^:\n]+(?=:[^:\n]*:0:)/m.exec(readFileSync('/etc/group', 'utf8')) ?? [];
    expect(await groupnames([0, 4_000_000_001], never)).toEqual(new Map([[0, name]]));
  });

  it.each(['no-such-account', '0', '00', '+0', ' 0', '-s', '--help', 'a b', '"; id'])('finds nobody called %j', async (account) => {
    expect(await gids(account, never)).toBeUndefined();
  });

  it('tells services that work from those that fail', async () => {
    expect(await answers('passwd', 'files', 'root', never)).toBe(true);
    expect(await answers('passwd', 'files', 'no-such-account', never)).toBe(false);
    expect(await answers('group', 'there-is-no-such-service', 'root', never)).toBe(false);
  });

  it('ends with what the signal was aborted with', async () => {
    const deadline = new AbortController();
    const asked = gids('root', deadline.signal);
    deadline.abort(new Error('no time left'));
    await expect(asked).rejects.toThrow('no time left');
  });
});
