import { defineConfig } from 'rolldown';

// `npm run bench`: as deep below the package's directory as test/bench itself, which helpers of the tests find by their own path.
export default defineConfig({
  input: ['test/bench/run.ts', 'test/bench/groups-inside.ts', 'test/bench/echo-server.ts', 'test/bench/directory-server.ts'],
  platform: 'node',
  external: [/^[^./]/],
  output: { dir: '.cache/built', format: 'esm', cleanDir: true },
});
