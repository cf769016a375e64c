import { readFileSync } from 'node:fs';
import { type OptionTable, option } from '../options.js';
import { oneOf } from '../schema.js';
import { defineProvider, type ProviderDefinition } from './provider.js';

export interface UnixOptions {
  readonly source: 'auto' | 'files';
}

const OPTIONS: OptionTable<UnixOptions> = {
  source: option(oneOf(['auto', 'files'], 'auto'), 'which account database is asked'),
};

const unix: ProviderDefinition<UnixOptions> = defineProvider({
  name: 'unix',
  description: "the machine's own accounts",
  options: OPTIONS,
  create: () => ({
    async groups({ account }) {
      const rows = (file: string): string[][] =>
        readFileSync(file, 'utf8')
          .split('\n')
          .map((line) => line.split(':'));
      const user = rows('/etc/passwd').find(([name]) => name === account);
      if (user === undefined) return undefined;
      return rows('/etc/group')
        .filter(([, , gid, members]) => gid === user[3] || members?.split(',').includes(account))
        .map(([name = '', , gid]) => ({ name, gid: Number(gid) }));
    },
  }),
});
export default unix;
