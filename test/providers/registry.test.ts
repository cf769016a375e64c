import { expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.js';
import { openProviders } from '../../src/providers/registry.js';
import { ConfigError } from '../../src/support/errors.js';
import { createLogger } from '../../src/support/log.js';
import { testDirectory } from '../support/command.js';

const directory = testDirectory();

it.each([
  ['userdb', 'userdb'],
  ['config', 'configuration'],
])('refuses a provider that is called %s, as other groups are', async (name, whose) => {
  const module = `export default { name: '${name}', description: '', options: {}, create: () => ({ groups: async () => [] }) };\n`;
  directory.write(`${name}.mjs`, module);
  const file = directory.write('config.toml', `providers = ["./${name}.mjs"]\n`);
  const log = createLogger(() => {});
  await expect(openProviders(await loadConfig(file), () => log)).rejects.toThrow(
    new ConfigError(
      `${file}: providers: "./${name}.mjs" is called "${name}", as the groups of the ${whose} are; give it another name in its module`,
    ),
  );
});
