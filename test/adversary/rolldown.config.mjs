import { defineConfig } from 'rolldown';

// `npm run adversary`: two folders below the package's directory, as test/support is, whose helpers find it by their own path.
export default defineConfig({
  input: 'test/adversary/run.ts',
  platform: 'node',
  external: [/^[^./]/],
  output: { dir: '.cache/adversary', format: 'esm', cleanDir: true },
});
