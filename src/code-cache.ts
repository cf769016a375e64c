import { closeSync, fchmodSync, fsyncSync, openSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Script } from 'node:vm';

/**
 * Loads the files of the built program as Node.js would, but with what V8 made of them when the package was installed: exec mode starts
 * a Node.js for each login, and half of what that costs beyond an empty one is compiling. Node.js has the like from version 22 on, for
 * processes that may write to the directory.
 */
export interface Loader {
  /** What a file exports. It is run once. */
  load(file: string): unknown;
  /**
   * Keeps what V8 has made of the files by now, beside each of them. V8 itself refuses it in another version, under other flags, and
   * for a source of another length, and compiles; a source that was edited since is seen by its time. What is kept has to stay as it
   * is, like the program itself.
   */
  store(): void;
}

interface Part {
  readonly script: Script;
  readonly module: { exports: object };
}

/** `require` of a file; `require.import` is what the build makes of import(), which such code can't do by itself. */
type Require = ((id: string) => unknown) & { readonly import: (specifier: string) => Promise<unknown> };

/** The function that a CommonJS file is the body of. */
type Body = (exports: object, require: Require, module: Part['module'], file: string, directory: string) => void;

/** `anew`: without what was kept before. */
export function createLoader({ anew }: { readonly anew: boolean } = { anew: false }): Loader {
  const parts = new Map<string, Part>();

  function load(file: string): unknown {
    const known = parts.get(file);
    if (known !== undefined) return known.module.exports;
    const script = new Script(`(function (exports, require, module, __filename, __dirname) {${readFileSync(file, 'utf8')}\n})`, {
      filename: file,
      cachedData: anew ? undefined : readCache(file),
    });
    const module = { exports: {} };
    parts.set(file, { script, module });
    const directory = dirname(file);
    // All else is bundled.
    const find = (id: string): unknown => (id.startsWith('.') ? load(resolve(directory, id)) : process.getBuiltinModule(id));
    const require: Require = Object.assign(find, { import: importModule });
    const body: Body = script.runInThisContext();
    body(module.exports, require, module, file, directory);
    return module.exports;
  }

  return {
    load,
    store() {
      for (const [file, { script }] of parts) {
        writeWhole(cacheOf(file), script.createCachedData());
      }
    },
  };
}

/** Providers of somebody else's are modules, found from here. */
function importModule(specifier: string): Promise<unknown> {
  return import(specifier);
}

/** On the disk before it has its name: V8 runs what it is given, even half a file of the right length. */
function writeWhole(file: string, data: Buffer): void {
  const draft = `${file}.new`;
  const descriptor = openSync(draft, 'w');
  try {
    writeFileSync(descriptor, data);
    // Whatever the umask: logins aren't root's.
    fchmodSync(descriptor, 0o644);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(draft, file);
}

function cacheOf(file: string): string {
  return `${file}.v8`;
}

const BIGINT = { bigint: true } as const;

function readCache(file: string): Buffer | undefined {
  const kept = cacheOf(file);
  try {
    return statSync(kept, BIGINT).mtimeNs > statSync(file, BIGINT).mtimeNs ? readFileSync(kept) : undefined;
  } catch {
    // The package was installed without its script.
    return undefined;
  }
}
