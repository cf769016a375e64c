import { type JsonSchema, tableSchema } from '../config/json-schema.js';
import { CONFIG_TABLES } from '../config/load.js';
import type { OptionSpec } from '../config/options.js';
import { BUILT_IN } from '../providers/registry.js';

/** The JSON Schema of the configuration file, for editors: of the program's own tables and of the built-in providers. */
export async function configSchema(): Promise<JsonSchema> {
  const { '': main, ...tables } = CONFIG_TABLES;
  const top = tableSchema(main);
  const providers = await Promise.all(
    Object.entries(BUILT_IN).map(async ([name, load]) => {
      const { description, options } = await load();
      return [name, { description, ...tableSchema(options as Readonly<Record<string, OptionSpec>>) }] as const;
    }),
  );
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'acl-groups.toml',
    description: 'the configuration of acl-groups; see acl-groups.toml(5)',
    ...top,
    properties: {
      ...(top.properties as JsonSchema),
      ...Object.fromEntries(Object.entries(tables).map(([name, table]) => [name, tableSchema(table)])),
      // A table of another name belongs to a third-party provider, which validates it.
      provider: { type: 'object', properties: Object.fromEntries(providers), additionalProperties: { type: 'object' } },
    },
  };
}
