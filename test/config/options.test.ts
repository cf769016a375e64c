import { describe, expect, it } from 'vitest';
import { CONFIG_TABLES } from '../../src/config/load.js';
import { defaultOf, option, parseOptions, type Schema } from '../../src/config/options.js';
import { duration, flag, integer, oneOf, path, text, valibotSchema } from '../../src/config/schema.js';
import { BUILT_IN } from '../../src/providers/registry.js';
import { ConfigError } from '../../src/support/errors.js';

/** A schema as another library would make it. */
function schema<T>(validate: Schema<T>['~standard']['validate']): Schema<T> {
  return { '~standard': { version: 1, vendor: 'test', validate } };
}

describe('parseOptions', () => {
  const table = { name: option(text('x'), 'a name'), wait: option(duration('3s'), 'how long') };

  it('fills in defaults', () => {
    expect(parseOptions(table, { wait: '1m' }, 'here')).toEqual({ name: 'x', wait: 60_000 });
  });

  it('takes defaults for what their schemas make of them', async () => {
    const providers = await Promise.all(Object.values(BUILT_IN).map(async (load) => (await load()).options));
    const specs = [...Object.values(CONFIG_TABLES), ...providers].flatMap((options) => Object.entries(options));
    const taken = specs.map(([key, { schema }]) => [key, schema['~standard'].validate(undefined)]);
    const validated = specs.map(([key, { schema }]) => [key, valibotSchema(schema)['~standard'].validate(undefined)]);
    const plain = (results: typeof taken) =>
      results.map(([key, result]) => [key, { issues: undefined, ...Object(result), typed: undefined }]);
    expect(specs.length).toBeGreaterThan(30);
    expect(plain(taken)).toEqual(plain(validated));
  });

  it('never shows the value of an unknown key, which may be a secret', () => {
    expect(() => parseOptions(table, { pasword: 's3cret' }, 'here')).toThrow(
      new ConfigError('here: unknown key "pasword"; allowed are name, wait'),
    );
  });

  it.each([
    ['a text', 'here: expected a table of options, found a text'],
    [['a'], 'here: expected a table of options, found a list'],
    [new Date(0), 'here: expected a table of options, found a date'],
    [{ name: 1 }, 'here: name: expected a text, found 1'],
    [{ __proto__: { inherited: 1 }, toString: 1 }, 'here: unknown key "toString"; allowed are name, wait'],
  ])('refuses %j', (given, message) => {
    expect(() => parseOptions(table, given, 'here')).toThrow(new ConfigError(message));
  });

  it("takes any library's schemas: issues with paths of both kinds, or without any", () => {
    const refuse = (path?: readonly (PropertyKey | { readonly key: PropertyKey })[]) => ({
      key: option(
        schema<string>(() => ({ issues: [{ message: 'no', ...(path && { path }) }] })),
        'a key',
      ),
    });
    expect(() => parseOptions(refuse(), {}, 'here')).toThrow(new ConfigError('here: key: no'));
    expect(() => parseOptions(refuse(['a', { key: 0 }]), {}, 'here')).toThrow(new ConfigError('here: key.a.0: no'));
    const late = {
      key: option(
        schema<string>(async () => ({ value: 'x' })),
        'a key',
      ),
    };
    expect(() => parseOptions(late, {}, 'here')).toThrow(new ConfigError("here: key: its schema is asynchronous, which options can't be"));
  });
});

describe('defaultOf', () => {
  it('is what the file would say', () => {
    expect(
      [duration('3s'), oneOf(['a', 'b'], 'b'), flag(true), integer(5, 1, 9), text()].map((s) => defaultOf(option<unknown>(s, ''))),
    ).toEqual(['3s', 'b', true, 5, '']);
  });

  it('is undefined for an option that has to be given', () => {
    expect(defaultOf(option(path(), ''))).toBeUndefined();
    expect(() => parseOptions({ path: option(path(), '') }, {}, 'here')).toThrow(new ConfigError('here: path: missing; give a path'));
    expect(() => parseOptions({ path: option(path(), '') }, { path: 1 }, 'here')).toThrow(
      new ConfigError('here: path: expected a path, found 1'),
    );
    expect(() => parseOptions({ path: option(path(), '') }, { path: '' }, 'here')).toThrow(
      new ConfigError('here: path: expected a path, found ""'),
    );
  });
});
