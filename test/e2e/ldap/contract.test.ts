import { join } from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { AWKWARD_NAMES, type ContractCase, contractCases, loginUser } from '../../../src/providers/contract.js';
import { ldapProvider } from '../../support/ldap.js';
import { GROUPS, PEOPLE } from '../../support/ldap-content.js';
import { listen, type TestServer } from '../../support/relay.js';
import { BASE_LDIF, ldifLine, READER_DN, type Slapd, startSlapd } from '../../support/slapd.js';

const users = { alice: ['staff', ...AWKWARD_NAMES], bob: ['staff'], lonely: [] } as const;
const names = [...new Set(Object.values(users).flat())];

const LDIF = `${BASE_LDIF}${[
  ...Object.keys(users).map((uid) => `dn: uid=${uid},${PEOPLE}\nobjectClass: inetOrgPerson\nuid: ${uid}\ncn: x\nsn: x\n`),
  // Named by a number, because slapd can't take the longest name for a DN.
  ...names.map((name, i) => {
    const members = Object.entries(users).filter(([, groups]) => (groups as readonly string[]).includes(name));
    const values = members.map(([uid]) => `member: uid=${uid},${PEOPLE}\n`).join('');
    return `dn: description=${i},${GROUPS}\nobjectClass: groupOfNames\n${ldifLine('cn', name)}${values}`;
  }),
].join('\n')}\n`;

describe('the contract of all providers', () => {
  let slapd: Slapd;
  let silent: TestServer;
  beforeAll(async () => {
    slapd = await startSlapd({ ldif: LDIF });
    silent = await listen(() => undefined);
  });
  afterAll(async () => {
    await silent.close();
    await slapd.remove();
  });

  const open = (uri: string): ReturnType<typeof ldapProvider> =>
    ldapProvider({
      uris: [uri],
      starttls: false,
      bind_dn: READER_DN,
      bind_password_file: join(slapd.directory, 'password'),
      user_base: PEOPLE,
      group_base: GROUPS,
    });

  const cases: readonly ContractCase[] = contractCases({
    open: () => open(slapd.ldapi),
    openBroken: () => open('ldap://127.0.0.1:1'),
    openHanging: () => open(`ldap://127.0.0.1:${silent.port}`),
    users: Object.entries(users).map(([uid, groups]) => ({ user: loginUser(uid), groups })),
    stranger: loginUser('stranger'),
  });
  for (const { name, run } of cases) it(name, run);
});
