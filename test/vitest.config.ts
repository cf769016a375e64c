import { fileURLToPath } from 'node:url';
import { defineConfig, type ViteUserConfig } from 'vitest/config';

const root = fileURLToPath(new URL('..', import.meta.url));

/** As generous as the other limits. */
const POLL = { poll: { timeout: 60_000 } };

const config: ViteUserConfig = defineConfig({
  root,
  test: {
    // Suites with servers wait more than they work.
    maxWorkers: 3,
    reporters: ['default', './test/support/closing-line.ts'],
    projects: [
      // Generous limits: a slow machine is no failure.
      {
        root,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          expect: POLL,
        },
      },
      // Real servers. What they share (the installed package, Debian 13) is made once, before the first suite.
      {
        root,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: 'test/support/global-setup.ts',
          testTimeout: 120_000,
          hookTimeout: 600_000,
          expect: POLL,
        },
      },
    ],
  },
});

export default config;
