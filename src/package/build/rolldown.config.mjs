import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'rolldown';

// The program is built as CommonJS in few files: Node starts those 10 ms sooner than the same code as ES modules, and exec mode
// starts a Node for each login. What that needs anyway is one file; other dynamic imports become files of their own.
const EXEC_MODE = /\/src\/(main\.ts|commands\/exec\.ts|providers\/unix\/(definition|source)\.ts)$/;

const ASSERT = fileURLToPath(new URL('assert.cjs', import.meta.url));

const OTHERS = {
  'provider-thread': 'src/providers/thread/thread.ts',
  'check-as-service': 'src/check/as-service-program.ts',
  'watchdog-thread': 'src/service/watchdog-thread.ts',
};

export default defineConfig([
  {
    input: {
      'acl-groups': 'src/main.ts',
      'account-worker': 'src/providers/unix/account-worker.ts',
    },
    platform: 'node',
    external: ['userid'],
    resolve: { alias: { assert: ASSERT, 'node:assert': ASSERT } },
    plugins: [licences()],
    output: {
      dir: 'dist',
      format: 'cjs',
      entryFileNames: '[name].cjs',
      chunkFileNames: 'parts/[name].cjs',
      // Exec mode reads all of its file for each login. Names that errors may show stay.
      minify: { compress: true, mangle: { keepNames: { class: true, function: false } }, codegen: { removeWhitespace: true } },
      codeSplitting: { groups: [{ name: 'exec', test: EXEC_MODE, includeDependenciesRecursively: true }] },
    },
  },
  // Programs of threads and processes. A bundle for each, because what the main program shares with them is in one file with all that it runs at once.
  ...Object.entries(OTHERS).map(([name, file]) => ({
    input: { [name]: file },
    platform: 'node',
    output: { dir: 'dist', format: 'cjs', entryFileNames: '[name].cjs', codeSplitting: false },
  })),
  // What third-party providers import.
  {
    input: ['src/index.ts', 'src/providers/contract.ts'],
    platform: 'node',
    output: { dir: 'dist', format: 'esm' },
  },
  // The step of the build that writes manual pages and completions.
  {
    input: 'src/package/build/documents.ts',
    platform: 'node',
    external: [/^remark-/, 'unified'],
    output: { dir: '.cache/build', format: 'esm' },
  },
]);

/** Puts the licences of the bundled packages beside the bundle, as they ask for. */
function licences() {
  return {
    name: 'licences',
    generateBundle(_options, bundle) {
      const packages = new Set();
      for (const { moduleIds = [] } of Object.values(bundle)) {
        for (const id of moduleIds) {
          const [found] = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id) ?? [];
          if (found) packages.add(found);
        }
      }
      const texts = [...packages].sort().map((directory) => {
        const { name, version, license } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
        const file = ['LICENSE', 'LICENSE.md', 'license', 'LICENCE'].map((n) => join(directory, n)).find(existsSync);
        if (!file) this.error(`${name} has no licence file`);
        return `${name} ${version} (${license})\n\n${readFileSync(file, 'utf8').trim()}\n`;
      });
      this.emitFile({ type: 'asset', fileName: 'LICENSES.txt', source: texts.join(`\n${'-'.repeat(72)}\n\n`) });
    },
  };
}
