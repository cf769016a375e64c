import { defineConfig } from 'rolldown';

// `npm run bench`: as deep below the package's directory as test/bench itself, which helpers of the tests find by their own path.
export default defineConfig({
  input: ['run', 'groups-inside', 'cost-inside', 'echo-server', 'directory-server', 'bare-responder'].map(
    (name) => `test/bench/${name}.ts`,
  ),
  platform: 'node',
  external: [/^[^./]/],
  output: { dir: '.cache/built', format: 'esm', cleanDir: true },
});
