import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
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
   * for a source of another length, and compiles. (Of a source that was edited to the same length it would run what it knew; npm
   * replaces the directory.)
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

export function createLoader(): Loader {
  const parts = new Map<string, Part>();

  function load(file: string): unknown {
    const known = parts.get(file);
    if (known !== undefined) return known.module.exports;
    const script = new Script(`(function (exports, require, module, __filename, __dirname) {${readFileSync(file, 'utf8')}\n})`, {
      filename: file,
      cachedData: readCache(file),
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
        writeFileSync(cacheOf(file), script.createCachedData());
        // Whatever the umask: logins aren't root's.
        chmodSync(cacheOf(file), 0o644);
      }
    },
  };
}

/** Providers of somebody else's are modules, found from here. */
function importModule(specifier: string): Promise<unknown> {
  return import(specifier);
}

function cacheOf(file: string): string {
  return `${file}.v8`;
}

function readCache(file: string): Buffer | undefined {
  try {
    return readFileSync(cacheOf(file));
  } catch {
    // The package was installed without its script.
    return undefined;
  }
}
