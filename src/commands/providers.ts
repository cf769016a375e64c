import type { Invocation } from '../args.js';
import { DEFAULT_CONFIG_FILE } from '../config/load.js';
import { defaultOf } from '../config/options.js';
import { BUILT_IN, loadProvider } from '../providers/registry.js';
import { EXIT, explain } from '../support/errors.js';
import { printable, printableJson } from '../support/text.js';
import { paintFor } from '../terminal/paint.js';
import type { Paint } from '../terminal/table.js';

/** Lists the registered providers: name, installed or not, options. */
export async function providers({ options }: Invocation): Promise<number> {
  const paint = await paintFor(process.stdout);
  for (const name of Object.keys(BUILT_IN)) {
    const listed = await describe(name);
    process.stdout.write(options.json ? `${printableJson(listed)}\n` : human(listed, paint));
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

/** Options are shown as the file has them, to be copied; none of their defaults is null, which TOML doesn't have. */
function human({ name, installed, description, options }: Listed, paint: Paint): string {
  const lines = options.map((listed) => {
    const standard = listed.default === null ? `${listed.name} = … (required)` : `${listed.name} = ${JSON.stringify(listed.default)}`;
    return `    ${paint('cyan', printable(standard))}\n        ${printable(listed.description)}\n`;
  });
  return `${paint('bold', name)}${installed ? '' : ' (not installed)'}: ${printable(description)}\n${lines.join('')}`;
}
