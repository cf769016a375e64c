import type { Reporter, TestModule } from 'vitest/node';

/** Ends a run with one plain line that programs can read: `N passed, N failed`, and how many were skipped, if any. */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      // A file that can't be loaded has no tests, and is a failure all the same.
      if (module.state() === 'failed' && module.errors().length > 0) count.failed++;
      for (const test of module.children.allTests()) count[test.result().state]++;
    }
    const skipped = count.skipped + count.pending;
    const line = `${count.passed} passed, ${count.failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`;
    // After the default reporter's own summary.
    process.once('exit', () => process.stdout.write(line));
  }
}
