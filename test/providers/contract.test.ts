import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { afterAll, describe, expect, it } from 'vitest';
import type { Group, GroupProvider, LoginUser } from '../../src/index.js';
import { AWKWARD_NAMES, type ContractSetup, contractCases, loginUser } from '../../src/providers/contract.js';

const GROUPS = new Map<string, readonly string[]>([
  ['alice', AWKWARD_NAMES],
  ['bob', []],
]);

class Memory implements GroupProvider {
  async groups(user: LoginUser, signal: AbortSignal): Promise<readonly Group[] | undefined> {
    signal.throwIfAborted();
    return GROUPS.get(user.account)?.map((name) => ({ name }));
  }
}

class Broken implements GroupProvider {
  async groups(): Promise<readonly Group[] | undefined> {
    throw new Error('no source');
  }
}

class Hanging implements GroupProvider {
  groups(_user: LoginUser, signal: AbortSignal): Promise<readonly Group[] | undefined> {
    return new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  }
}

const SETUP: ContractSetup = {
  open: () => new Memory(),
  users: [...GROUPS].map(([name, groups]) => ({ user: loginUser(name), groups })),
  stranger: loginUser('mallory'),
  openBroken: () => new Broken(),
  openHanging: () => new Hanging(),
};

describe('a provider that keeps the contract passes', () => {
  for (const { name, run } of contractCases(SETUP)) it(name, run);
});

/** The names of the tests that a provider fails. */
async function failures(setup: Partial<ContractSetup>): Promise<readonly string[]> {
  const failed: string[] = [];
  for (const { name, run } of contractCases({ ...SETUP, patience: 200, ...setup })) await run().catch(() => failed.push(name));
  return failed;
}

/** A provider that differs from a good one in how it answers. */
function answering(
  answer: (user: LoginUser, groups: readonly Group[] | undefined) => readonly Group[] | undefined,
): Partial<ContractSetup> {
  const memory = new Memory();
  return { open: () => ({ groups: async (user, signal) => answer(user, await memory.groups(user, signal)) }) };
}

describe('a provider that breaks it is caught', () => {
  const servers: Server[] = [];
  afterAll(() => {
    for (const server of servers) server.close();
  });
  let turn = 0;
  const shared: Group[] = [{ name: 'staff' }];
  it.each<[string, Partial<ContractSetup>, string]>([
    [
      'an empty list for a stranger',
      answering((_, groups) => groups ?? []),
      'a stranger is unknown, which is something else than a user without groups',
    ],
    [
      'nothing for a user without groups',
      answering((_, groups) => (groups?.length === 0 ? undefined : groups)),
      'a known user has exactly his groups',
    ],
    ['a name trimmed', answering((_, groups) => groups?.map(({ name }) => ({ name: name.trim() }))), 'a known user has exactly his groups'],
    [
      'a group twice',
      answering((_, groups) => groups && [...groups, ...groups]),
      'groups are named once each, and in the same order each time',
    ],
    [
      'another order each time',
      answering((_, groups) => (turn++ % 2 ? groups : groups?.toReversed())),
      'groups are named once each, and in the same order each time',
    ],
    [
      'another cache key each time',
      { open: () => ({ groups: (user, signal) => new Memory().groups(user, signal), cacheKey: () => String(turn++) }) },
      'a cache key is a text, and the same each time',
    ],
    [
      'a list of its own',
      { open: () => ({ groups: async () => shared }), users: [{ user: loginUser('alice'), groups: ['staff'] }] },
      'an answer that is changed by its receiver harms no later one',
    ],
    [
      'a pattern for a name',
      answering((user, groups) => (user.name === '*' ? [{ name: 'staff' }] : groups)),
      'a user name is a name and nothing else',
    ],
    [
      'a failure swallowed',
      { openBroken: () => ({ groups: async () => [] }) },
      'a source that fails is an error, for known users and for strangers, and never an answer',
    ],
    [
      'a failure kept for strangers',
      { openBroken: () => new Memory() },
      'a source that fails is an error, for known users and for strangers, and never an answer',
    ],
    [
      'a dead signal ignored',
      { open: () => ({ groups: (user) => new Memory().groups(user, new AbortController().signal) }) },
      'a lookup that nobody waits for any more does not start',
    ],
    [
      'a server left open',
      {
        open: () => {
          const memory = new Memory();
          const server = createServer();
          servers.push(server);
          let listening: Promise<unknown> | undefined;
          return {
            async groups(user, signal) {
              listening ??= once(server.listen(0, '127.0.0.1'), 'listening');
              await listening;
              return memory.groups(user, signal);
            },
          };
        },
      },
      'close lets go of everything, and may be called twice, or before anything was asked',
    ],
  ])('%s', async (_, setup, name) => {
    expect(await failures(setup)).toContain(name);
  });

  it('a hang that no abort ends', async () => {
    const openHanging = (): GroupProvider => ({ groups: () => new Promise(() => {}) });
    expect(await failures({ openHanging })).toEqual(['a lookup that waits ends when it is aborted']);
  });
});
