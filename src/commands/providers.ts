import type { Invocation } from '../args.js';
import { DEFAULT_CONFIG_FILE } from '../config.js';
import { EXIT, explain } from '../errors.js';
import { defaultOf } from '../options.js';
import { BUILT_IN, loadProvider } from '../providers/registry.js';

/** Lists the registered providers: name, installed or not, options. */
export async function providers({ options }: Invocation): Promise<number> {
  for (const name of Object.keys(BUILT_IN)) {
    const listed = await describe(name);
    process.stdout.write(options.json ? `${JSON.stringify(listed)}\n` : human(listed));
  }
  return EXIT.ok;
}

interface Listed {
  readonly name: string;
  readonly installed: boolean;
  readonly description: string;
  readonly options: readonly { readonly name: string; readonly default: unknown; readonly description: string }[];
}

async function describe(name: string): Promise<Listed> {
  try {
    const definition = await loadProvider(name, DEFAULT_CONFIG_FILE);
    const options = Object.entries(definition.options).map(([key, spec]) => ({
      name: key,
      default: defaultOf(spec) ?? null,
      description: spec.description,
    }));
    return { name, installed: true, description: definition.description, options };
  } catch (error) {
    return { name, installed: false, description: explain(error), options: [] };
  }
}

function human({ name, installed, description, options }: Listed): string {
  const lines = options.map((option) => `    ${option.name} = ${JSON.stringify(option.default)}\n        ${option.description}\n`);
  return `${name}${installed ? '' : ' (not installed)'}: ${description}\n${lines.join('')}`;
}
