import { describe, expect, it } from 'vitest';
import { BindRefused, GivenUp, NoAnswer, SearchFailed, verdictOf, within } from '../../../src/providers/ldap/errors.js';
import { ConfigError, ProviderError } from '../../../src/support/errors.js';

const never = new Promise<never>(() => {});
const limits = { ms: 60_000, what: 'no answer' };

describe('within', () => {
  it('settles as the work does', async () => {
    expect(await within(Promise.resolve(7), limits)).toBe(7);
    await expect(within(Promise.reject(new Error('no')), limits)).rejects.toThrow(/^no$/);
  });

  it('gives up after its time', async () => {
    const given = await within(never, { ...limits, ms: 5 }).catch((error: unknown) => error);
    expect(given).toBeInstanceOf(GivenUp);
    expect(given).toMatchObject({ message: 'no answer within 5 ms' });
  });

  it('gives up when the lookup is over, before or in the middle, and says why', async () => {
    const reason = new Error('the login is over');
    const controller = new AbortController();
    const waiting = within(never, { ...limits, signal: controller.signal });
    controller.abort(reason);
    const expected = { name: 'GivenUp', message: 'no answer before the time for the whole lookup was over', cause: reason };
    await expect(waiting).rejects.toMatchObject(expected);
    await expect(within(never, { ...limits, signal: controller.signal })).rejects.toMatchObject(expected);
  });
});

describe('verdictOf', () => {
  it.each([
    ['deny', new BindRefused('invalid credentials')],
    ['deny', new SearchFailed('no such attribute', 16)],
    ['deny', new ConfigError('the password file is empty')],
    ['deny', new ProviderError('ldap', 'user_filter finds 2 entries')],
    ['next-server', new NoAnswer('busy', 'next-server')],
    ['fresh-connection', new NoAnswer('connection lost', 'fresh-connection')],
    ['next-server', new Error('connect ECONNREFUSED')],
    ['next-server', new GivenUp('no connection within 1000 ms')],
  ])('says %s to %s', (verdict, error) => {
    expect(verdictOf(error)).toBe(verdict);
  });
});
