import { afterAll, describe, it } from 'vitest';
import { AWKWARD_NAMES, contractCases, loginUser } from '../../../src/providers/contract.js';
import { oddFolder } from './odd-provider.js';

const folder = oddFolder(`
const people = new Map(${JSON.stringify([
  ['alice', AWKWARD_NAMES],
  ['bob', []],
])});
const texts = { '~standard': { version: 1, vendor: 'odd', validate: (value) => ({ value }) } };
export default {
  name: 'odd',
  description: 'odd',
  options: { notes: { schema: texts, description: '' }, mood: { schema: texts, description: '' } },
  create: ({ mood }) => ({
    async groups({ name }, signal) {
      signal.throwIfAborted();
      if (mood === 'broken') throw new Error('no source');
      if (mood === 'hanging') return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      return people.get(name)?.map((group) => ({ name: group }));
    },
    cacheKey: ({ name }) => name,
  }),
};
`);
afterAll(() => folder.remove());

const open = (mood: string) => async () => (await folder.open({ mood })).provider;

describe('the contract, kept by a third-party provider in its thread', () => {
  const cases = contractCases({
    open: open('good'),
    openBroken: open('broken'),
    openHanging: open('hanging'),
    users: [
      { user: loginUser('alice'), groups: AWKWARD_NAMES },
      { user: loginUser('bob'), groups: [] },
    ],
    stranger: loginUser('mallory'),
    patience: 60_000,
  });
  for (const { name, run } of cases) it(name, run);
});
