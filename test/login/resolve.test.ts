import { describe, expect, it } from 'vitest';
import { resolveGroups } from '../../src/login/resolve.js';
import type { Group, GroupProvider, LoginUser } from '../../src/providers/provider.js';

const alice: LoginUser = { name: 'alice', account: 'alice', fields: new Map() };

function provider(name: string, groups: GroupProvider['groups']): { name: string; provider: GroupProvider } {
  return { name, provider: { groups } };
}

const answering = (name: string, groups: readonly Group[] | undefined) => provider(name, async () => groups);

describe('resolveGroups', () => {
  it('gives the groups in configured order, however late a provider answers', async () => {
    let late: (groups: readonly Group[]) => void = () => {};
    const slow = provider('slow', () => new Promise((resolve) => (late = resolve)));
    const fast = provider('fast', async () => {
      late([{ name: 'b', dn: 'cn=b' }]);
      return [{ name: 'a', gid: 7 }];
    });
    const { groups, reports } = await resolveGroups(alice, [slow, fast], 60_000);
    expect(groups).toEqual([
      { name: 'b', dn: 'cn=b', provider: 'slow' },
      { name: 'a', gid: 7, provider: 'fast' },
    ]);
    expect(reports.map(({ name, outcome }) => [name, outcome])).toEqual([
      ['slow', 'found'],
      ['fast', 'found'],
    ]);
  });

  it.each([
    [['staff'], 'number 1 of the list is a string'],
    [null, 'found null'],
    [{}, 'found an object'],
    [[{}], 'name of number 1 of the list is undefined, not a string'],
    ['staff', 'found a string'],
    [[{ name: 7 }], 'name of number 1 of the list is a number, not a string'],
    [[undefined], 'number 1 of the list is undefined'],
    // biome-ignore lint/suspicious/noSparseArray: JavaScript has such lists.
    [[{ name: 'a' }, , { name: 'b' }], 'number 2 of the list is undefined'],
    [[{ name: 'a' }, { name: 'b', skip: null }], 'skip of number 2 of the list is null, not a string or undefined'],
    [[{ name: 'a', gid: '7' }], 'gid of number 1 of the list is a string, not a number or undefined'],
  ])('takes %j for a failure', async (answer, problem) => {
    const { groups, reports } = await resolveGroups(alice, [answering('odd', answer as never)], 60_000);
    expect(groups).toEqual([]);
    const error = `odd: answered with something other than undefined or a list of groups such as [{ name: "staff" }]: ${problem}`;
    expect(reports).toMatchObject([{ outcome: 'error', error }]);
  });

  it('keeps unknown user, no groups and failure apart', async () => {
    const { groups, reports } = await resolveGroups(
      alice,
      [
        answering('unknown', undefined),
        answering('none', []),
        provider('throws', async () => {
          throw new Error('the server said no', { cause: new Error('connection reset') });
        }),
        provider('throws-at-once', () => {
          throw new Error('no promise at all');
        }),
      ],
      60_000,
    );
    expect(groups).toEqual([]);
    expect(reports.map(({ name, outcome, error }) => ({ name, outcome, error }))).toEqual([
      { name: 'unknown', outcome: 'unknown-user', error: undefined },
      { name: 'none', outcome: 'found', error: undefined },
      { name: 'throws', outcome: 'error', error: 'the server said no: connection reset' },
      { name: 'throws-at-once', outcome: 'error', error: 'no promise at all' },
    ]);
  });

  it('ends at the deadline for a provider that heeds no signal, and tells one that does', async () => {
    let reason: unknown;
    const deaf = provider('deaf', () => new Promise(() => {}));
    const heeding = provider(
      'heeding',
      (_, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reason = signal.reason;
            reject(new Error('stopped'));
          });
        }),
    );
    const { groups, reports } = await resolveGroups(alice, [deaf, heeding, answering('quick', [{ name: 'g' }])], 20);
    expect(groups).toEqual([{ name: 'g', provider: 'quick' }]);
    expect(reports.map(({ outcome, error }) => [outcome, error])).toEqual([
      ['error', 'deaf: no answer within 20 ms'],
      ['error', 'heeding: no answer within 20 ms'],
      ['found', undefined],
    ]);
    expect(reason).toMatchObject({ name: 'ProviderError', provider: 'heeding', timedOut: true });
  });
});
