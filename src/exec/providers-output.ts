import type { Logger } from '../support/log.js';

/**
 * Gives what providers write to process.stdout, as console.log does, to the log: a warning for each line. Returns the function that logs
 * what is left at the end. (What they write to descriptor 1 itself, or have processes write there, the launcher leads to stderr.)
 */
export function logProvidersOutput(user: string, log: Logger): () => void {
  let rest = '';
  const take = (text: string): void => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) log.warning(`${user}: a provider wrote to stdout: ${line}`);
  };
  let stream: NodeJS.WritableStream | undefined;
  Object.defineProperty(process, 'stdout', {
    configurable: true,
    enumerable: true,
    get() {
      stream ??= openStream(take);
      return stream;
    },
  });
  return () => {
    if (rest !== '') take('\n');
  };
}

/** Streams are slow to load, and hardly ever needed. */
function openStream(take: (text: string) => void): NodeJS.WritableStream {
  const { Writable } = process.getBuiltinModule('node:stream');
  return new Writable({
    decodeStrings: false,
    write(chunk: unknown, _encoding, done) {
      take(String(chunk));
      done();
    },
  });
}
