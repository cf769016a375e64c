/** A soak: many ask at once, while sources change and things go wrong; each answer is held against the model. */
import { setTimeout as pass } from 'node:timers/promises';
import { watchBusyness } from './busy.js';
import type { SoakClient } from './clients.js';
import type { Draw } from './draw.js';
import { type Answer, createOracle } from './oracle.js';
import type { Usage } from './service.js';
import { keepChanging } from './sources.js';
import type { Stage } from './stage.js';
import { createStatistics, describeProblem, type Statistics } from './statistics.js';
import { now } from './timeline.js';
import { blow } from './wind.js';

/** What a soak is asked for, whoever the clients are. */
export interface SoakRequest {
  /** How many answers it ends with. */
  readonly answers: number;
  /** Questions a second, all clients together, as long as they are answered. */
  readonly rate: number;
  readonly onAnswers?: (more: number) => void;
  /** Ends it early, with what there is by then. */
  readonly signal?: AbortSignal;
}

/** The same with lots of its own. */
export interface SeededRequest extends SoakRequest {
  readonly seed: number;
}

/** How to soak. */
export interface SoakOptions extends SoakRequest {
  readonly draw: Draw;
  /** Clients, and how many questions each has open at a time. */
  readonly clients: readonly { readonly client: SoakClient; readonly atOnce: number }[];
  /** Milliseconds between two changes of a source. */
  readonly changeEvery: number;
  /** How many connections were lost so far. */
  readonly connectionsLost: () => number;
}

/** What came of it. */
export interface SoakResult {
  readonly statistics: Statistics;
  /** Descriptions of the first answers that shouldn't have been, and of processes that were left over. */
  readonly problems: readonly string[];
  /** Whether there was any. */
  readonly failed: boolean;
  readonly table: string;
}

/** Milliseconds until an answer is judged: what is noticed afterwards has been noticed by then. */
const JUDGED_AFTER = 1000;
const MOST_PROBLEMS = 5;

/** Plays a soak on a stage, and takes that down. */
export async function soak(stage: Stage, options: SoakOptions): Promise<SoakResult> {
  const { answers, rate, draw, clients, onAnswers } = options;
  const { sources, rules, weather, service, users } = stage;
  const judge = createOracle(sources, rules, weather);
  const statistics = createStatistics();
  const problems: string[] = [];
  const usage: Usage[] = [];
  const waiting: Answer[] = [];
  const began = now();
  let failure: unknown;
  let asked = 0;
  let due = now();

  function judgeThose(before: number): void {
    let count = 0;
    for (const answer of waiting) {
      if (answer.answered > before) break;
      count++;
      const judgement = judge(answer);
      statistics.add(answer, judgement.verdict, weather.names(answer.came, answer.answered));
      const fine = judgement.verdict === 'right' || judgement.verdict === 'denied' || judgement.verdict === 'lost';
      if (!fine && problems.length < MOST_PROBLEMS) problems.push(describeProblem(answer, judgement));
    }
    waiting.splice(0, count);
    onAnswers?.(count);
  }

  /** Waits for its turn, so that all together keep to the rate. */
  async function turn(): Promise<void> {
    due = Math.max(due + 1000 / rate, now() - 1000);
    const wait = due - now();
    if (wait > 1) await pass(wait);
  }

  const isOver = (): boolean =>
    asked >= answers || options.signal?.aborted === true || failure !== undefined || problems.length >= MOST_PROBLEMS;

  async function askOn(client: SoakClient): Promise<void> {
    while (!isOver()) {
      asked++;
      await turn();
      // Most logins are of a few users.
      const user = users[Math.min(draw.below(users.length), draw.below(users.length))] ?? '';
      waiting.push(await client.ask(user));
    }
  }

  const changing = keepChanging(sources, draw, options.changeEvery);
  const busy = watchBusyness(stage);
  const wind = blow(stage, draw, (error) => (failure ??= error));
  const judging = setInterval(() => {
    judgeThose(now() - JUDGED_AFTER);
    const used = service.usage();
    if (used !== undefined) usage.push(used);
  }, 500);
  let left: readonly string[] = [];
  try {
    await Promise.all(clients.flatMap(({ client, atOnce }) => Array.from({ length: atOnce }, () => askOn(client))));
  } finally {
    await wind.stop();
    await changing.stop();
    clearInterval(judging);
    busy.stop();
    for (const { client } of clients) client.close();
    left = await stage.close();
  }
  judgeThose(Number.POSITIVE_INFINITY);
  if (failure !== undefined) throw failure;
  const seconds = (now() - began) / 1000;
  const deaths = service.deaths.filter(({ expected }) => !expected).length;
  const faults = new Map<string, number>();
  for (const { name } of weather.spells) faults.set(name, (faults.get(name) ?? 0) + 1);
  const table = statistics.table({ usage, connectionsLost: options.connectionsLost(), faults, deaths, left, seconds });
  const found = [...problems, ...left.map((line) => `left over: ${line}`)];
  return { statistics, problems: found, failed: found.length > 0, table };
}
