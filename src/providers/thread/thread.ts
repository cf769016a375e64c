/**
 * The program of a third-party provider's thread, see keeper.ts: loads the module, makes the provider, asks it.
 * @module
 */
import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { workerData } from 'node:worker_threads';
import { explain } from '../../support/errors.js';
import { createLogger, type LogLevel } from '../../support/log.js';
import { createProvider } from '../create.js';
import { loadForeign } from '../foreign.js';
import { requireGroups } from '../group-list.js';
import type { Finding, GroupProvider, ProviderDefinition } from '../provider.js';
import { createLogLimit } from './log-limit.js';
import { type CreateOrder, HEAVY, type Order, type Question, type Report, type ThreadData } from './messages.js';

const { given, naming, port } = workerData as ThreadData;
// The provider's code finds the same object.
Reflect.deleteProperty(workerData, 'port');
const running = new Map<number, AbortController>();
let definition: ProviderDefinition | undefined;
let provider: GroupProvider | undefined;
/** What messages call it, until the module says its name. */
let name = given;

function report(message: Report): void {
  port.postMessage(message);
}

const mayLog = createLogLimit((count) => postLine('warning', `provider ${name}: ${count} more lines of log within a second were dropped`));

function postLine(level: LogLevel, message: string): void {
  report({ kind: 'log', level, message });
}

function log(level: LogLevel, message: string): void {
  if (mayLog()) postLine(level, message);
}

// Also for promises that nobody waits for, which Node.js makes such exceptions of.
process.on('uncaughtException', (error, origin) => {
  const what = origin === 'unhandledRejection' ? 'a promise that it does not wait for was rejected' : 'uncaught exception';
  log('error', `provider ${name}: ${what}: ${explain(error)}${placeOf(error)}; the service goes on`);
});

/** Where an error was thrown: the first line of its stack that is a file's. */
function placeOf(error: unknown): string {
  const [, place] = (error instanceof Error && /\n\s*at (.*(?:file:|\/).*)/.exec(String(error.stack))) || [];
  return place === undefined ? '' : ` (at ${place})`;
}

port.on('message', (order: Order) => {
  if (order.kind === 'create') create(order);
  else if (order.kind === 'call') void answer(order.id, order.question);
  else if (order.kind === 'close') void close();
  else {
    running.get(order.id)?.abort(new Error(order.reason));
    report({ kind: 'aborted', id: order.id });
  }
});

loadForeign(given, naming).then(
  (loaded) => {
    definition = loaded;
    ({ name } = loaded);
    report({ kind: 'loaded', name, description: String(loaded.description) });
  },
  (error: unknown) => report({ kind: 'refused', reason: explain(error) }),
);

function create({ table, directory }: CreateOrder): void {
  try {
    if (definition === undefined) throw new Error('the module is not loaded');
    provider = createProvider(definition, table, { directory, resident: true, log: createLogger(log) });
    report({ kind: 'created', cacheKey: provider.cacheKey !== undefined, check: provider.check !== undefined });
  } catch (error) {
    report({ kind: 'refused', reason: explain(error) });
  }
}

async function answer(id: number, question: Question): Promise<void> {
  const abort = new AbortController();
  running.set(id, abort);
  try {
    if (provider === undefined) throw new Error('there is no provider yet');
    report({ kind: 'answer', id, value: await ask(provider, question, abort.signal) });
  } catch (error) {
    report({ kind: 'failure', id, reason: explain(error) });
  } finally {
    running.delete(id);
  }
}

/** @throws whatever the provider throws; ProviderError for an answer of another type than the contract's */
async function ask(asked: GroupProvider, question: Question, signal: AbortSignal): Promise<unknown> {
  if (question.method === 'groups') return requireGroups(name, await asked.groups(question.user, signal));
  if (question.method === 'check') return (await asked.check?.(signal))?.map(plainFinding);
  const key: unknown = await asked.cacheKey?.(question.user);
  if (typeof key === 'string') return key;
  throw new Error(`cacheKey() returned a ${typeof key}, not a string`);
}

function plainFinding({ level, message, fix }: Finding): Finding {
  return { level, message: String(message), ...(fix === undefined ? {} : { fix: String(fix) }) };
}

/** Asked for when no call runs any more. */
async function close(): Promise<void> {
  try {
    await provider?.close?.();
    report({ kind: 'closed' });
  } catch (error) {
    report({ kind: 'closed', failure: explain(error) });
  }
}

// Only right after a collection is what is in use told from what is garbage.
new PerformanceObserver((list) => {
  const collections = list.getEntries() as readonly (PerformanceEntry & { readonly detail?: { readonly kind?: number } })[];
  if (!collections.some(({ detail }) => detail?.kind === constants.NODE_PERFORMANCE_GC_MAJOR)) return;
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
  if (heap + external > HEAVY) report({ kind: 'heavy', bytes: heap + external });
}).observe({ entryTypes: ['gc'] });
