/** Milliseconds on a clock that never goes back. (`performance.now()` would load node:perf_hooks, which start-up can do without.) */
export function milliseconds(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}
