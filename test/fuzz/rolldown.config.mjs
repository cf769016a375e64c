import { defineConfig } from 'rolldown';

// `npm run fuzz`: what is tried in a file of its own, by whose name coverage is told from that of the tests. As deep as other bundles are.
export default defineConfig({
  input: 'test/fuzz/run.ts',
  platform: 'node',
  external: [/^[^./]/],
  output: {
    dir: '.cache/fuzz',
    format: 'esm',
    cleanDir: true,
    codeSplitting: { groups: [{ name: 'program', test: /\/src\/(?:doors|dovecot|providers|config|ldap|exec|support)\// }] },
  },
});
