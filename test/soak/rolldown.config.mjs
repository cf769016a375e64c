import { defineConfig } from 'rolldown';

// `npm run soak`: two folders below the package's directory, as test/support is, whose helpers find it by their own path.
export default defineConfig({
  input: 'test/soak/run.ts',
  platform: 'node',
  external: [/^[^./]/],
  output: { dir: '.cache/soak', format: 'esm', cleanDir: true },
});
