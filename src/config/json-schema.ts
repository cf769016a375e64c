import { toJsonSchema } from '@valibot/to-json-schema';
import { isNeeded, type OptionSpec } from './options.js';
import { valibotSchema } from './schema.js';

/** A JSON Schema, draft 07: the newest that editors' TOML support reads everywhere. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** The JSON Schema of one configuration table, by what its options are validated by. */
export function tableSchema(table: Readonly<Record<string, OptionSpec>>): JsonSchema {
  const required = Object.keys(table).filter((key) => isNeeded(table[key] as OptionSpec));
  return {
    type: 'object',
    properties: Object.fromEntries(Object.entries(table).map(([key, spec]) => [key, optionSchema(spec)])),
    additionalProperties: false,
    ...(required.length > 0 && { required }),
  };
}

/** The JSON Schema of one option, with its description; one whose schema isn't valibot's says nothing of what is allowed. */
export function optionSchema({ schema, description }: OptionSpec): JsonSchema {
  const { $schema: _, ...found } =
    schema['~standard'].vendor === 'valibot'
      ? toJsonSchema(valibotSchema(schema), {
          target: 'draft-07',
          // As in the file: before durations become numbers.
          typeMode: 'input',
          errorMode: 'ignore',
          // The check of a table's type, which is code.
          overrideSchema: ({ valibotSchema: { type } }) => (type === 'custom' ? { type: 'object' } : undefined),
        })
      : {};
  return { description, ...found };
}
