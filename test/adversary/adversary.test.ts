import { expect, it } from 'vitest';
import { groupsByFields, groupsGiven, readLine, readList, writeRequest } from './dovecot.js';
import { runHistories } from './histories.js';

// The same histories each time: new ones are the long run's to find.
const SEED = Number(process.env.ACL_GROUPS_TEST_SEED ?? 20261124);

// `npm run adversary -- --runs 50000` goes on for longer.
it(`gives no login a group that the model does not allow, nor takes one away (ACL_GROUPS_TEST_SEED=${SEED})`, async () => {
  await runHistories(1500, SEED);
});

// What was measured on real servers.
it.each([
  ['2.3', ['acl_groups=a,b'], ['a', 'b']],
  ['2.4', ['acl_groups=a,b'], ['a', 'b']],
  ['2.3', ['set/acl_groups=a', 'acl_groups/x=yes'], undefined],
  ['2.3', ['plugin/acl_groups=a,b', 'acl_groups=c'], ['a', 'b']],
  ['2.4', ['plugin/acl_groups=a,b', 'acl_groups=c'], ['c']],
  ['2.4', ['acl_groups/a=yes', 'acl_groups/b=yes', 'acl_groups/c=no'], ['a', 'b']],
  ['2.4', ['acl_groups/c=yes', 'acl_groups=a,b'], ['a', 'b']],
  ['2.4', ['acl_groups/Dom\\sUsers=yes'], ['Dom/Users']],
  ['2.4', ['ACL_GROUPS=up'], undefined],
  ['2.3', ['acl_groups=%u,%%x, a ,,"q",100%'], ['alice', '%x', ' a ', '"q"', '100']],
  ['2.4', ['acl_groups=inline:a,inline:b'], ['\na', 'inline:b']],
  ['2.4', ['acl_groups="inline:a" "x\\"y" "CORP\\\\\\\\sales" a\\sb'], ['inline:a', 'x"y', 'CORP\\sales', 'a/b']],
  ['2.4', ['acl_groups=a"b'], 'dies'],
  ['2.4', ['acl_groups="a"b'], 'dies'],
  ['2.4', ['acl_groups=inline:"a b"'], 'dies'],
] as const)('the model reads as Dovecot %s does the fields %j', (version, words, groups) => {
  const { fields } = readLine(['alice', ...words].join('\t'), 0);
  expect(groupsByFields(fields, 'alice', version)).toEqual(groups);
});

it('the model keeps what a userdb gave in any spelling, each once', () => {
  const fields = ['acl_groups/b=yes', 'acl_groups=a', 'plugin/acl_groups=c', 'set/acl_groups=d,a'].map((word) => {
    const [key = '', value = ''] = word.split('=');
    return { key, value };
  });
  expect(groupsGiven(fields, 'alice', '2.4')).toEqual(['a', 'b', 'd']);
  expect(groupsGiven(fields, 'alice', '2.3')).toEqual(['a', 'c']);
  expect(readList('a\tb', 'alice', '2.4')).toEqual(['a\tb']);
  expect(readLine(writeRequest('alice', fields, '::1').trimEnd(), 2)).toEqual({ user: 'alice', fields });
});
