import { defineConfig } from 'rolldown';

// `npm run fidelity`: two folders below the package's directory, as test/support is, whose helpers find it by their own path.
export default defineConfig({
  input: 'test/fidelity/run.ts',
  platform: 'node',
  external: [/^[^./]/],
  output: { dir: '.cache/fidelity', format: 'esm', cleanDir: true },
});
