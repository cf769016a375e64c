/**
 * The program in a world that the test owns: its sources, its clock, and Dovecot on the other side. Every answer is held against the model.
 */
import { parseConfig } from '../../src/config/load.js';
import { postLogin } from '../../src/doors/post-login/door.js';
import type { VersionFound } from '../../src/dovecot/version.js';
import { changesBy, decide, requestOf } from '../../src/exec/decision.js';
import { factsFromEnvironment } from '../../src/exec/environment.js';
import { formatPlan } from '../../src/exec/plan.js';
import type { Group, GroupProvider, LoginUser } from '../../src/providers/provider.js';
import { type Answerer, createAnswerer } from '../../src/service/answerer.js';
import { createCounters } from '../../src/service/counters.js';
import { createLogger } from '../../src/support/log.js';
import { type Field, groupsByFields, readLine, readList, type Version, writeRequest } from './dovecot.js';
import { type Accident, createGroupFile, type GroupFile } from './group-file.js';
import { allowedOutcomes, historyOf, type Login, lookedUp, type Outcome, type Rules, type State } from './model.js';
import { carryOut, fieldsOf, type Variables, variablesOf } from './script-login.js';
import { startVirtualTime, type VirtualTime } from './virtual-time.js';

/** What a source takes for its subject: the account, the user's name, or both with the client's address, which the cache has to know of; `file` is a
 * real file that lists names and accounts. */
export type Kind = 'account' | 'name' | 'address' | 'file';

/** A source: how it is asked, and how it answers. */
export interface SourceSetup {
  readonly name: string;
  readonly kind: Kind;
}

/** `prompt`: at once. `slow`: reads at once, and answers when it is told to. `held`: reads when it is told to as well. `failing`: at once, in vain. */
export type Manner = 'prompt' | 'slow' | 'held' | 'failing';

/** The configuration and the sources of one history. */
export interface Setup {
  readonly rules: Rules;
  readonly sources: readonly SourceSetup[];
}

/** A login on its way in. */
export interface Arrival extends Login {
  readonly remoteIp: string;
  /** `narrow` has no room for long values; `exec` is a process of its own, without a cache. */
  readonly door: 'post-login' | 'narrow' | 'exec';
}

/** The fields that give groups, in whichever spelling. */
const GROUP_FIELD = /^(?:plugin\/acl_groups|(?:set\/)?acl_groups(?:\/.*)?)$/s;

/** Bytes that a userdb reply has for the value, with `room = "7K"`. */
const NARROW_ROOM = 8192 - 7 * 1024 - 'acl_groups'.length - 2;

interface Call {
  readonly subject: string;
  readonly began: number;
  readonly finish: (answer: readonly Group[] | undefined) => void;
  readonly fail: (error: Error) => void;
  /** What it has read before it answers. */
  read?: { readonly state: State };
}

interface Source {
  readonly setup: SourceSetup;
  manner: Manner;
  readonly states: Map<string, { moment: number; state: State }[]>;
  readonly faults: Map<string, number[]>;
  readonly calls: Call[];
  readonly file: GroupFile | undefined;
}

/** What a mail process is told. */
interface Told {
  readonly user: string;
  readonly fields: readonly Field[];
}

interface Answered {
  readonly verdict: string;
  /** The value. */
  readonly text: string;
  /** `undefined` where the login is denied. */
  readonly back: Told | undefined;
}

interface Pending {
  readonly arrival: Arrival;
  readonly from: number;
  readonly came: number;
}

export interface World {
  change(source: number, subject: string, state: State): void;
  /** Nothing, where the source is no file. */
  happen(source: number, accident: Accident): void;
  manner(source: number, manner: Manner): void;
  arrive(arrival: Arrival): void;
  /** A held lookup reads its source. */
  read(call: number): void;
  /** It answers with what it has read, or reads now. */
  answer(call: number): void;
  /** It fails; `malformed` answers with something that is no list of groups. */
  fail(call: number, malformed: unknown): void;
  advance(milliseconds: number): Promise<void>;
  forget(): void;
  /** One step is over. @throws Error for an answer that the model doesn't allow */
  settle(): Promise<void>;
  /** Answers all that is held, and waits until no login is in hand. */
  finish(): Promise<void>;
  end(): void;
}

/** A world of the given setup, at the beginning of time. */
export function createWorld({ rules, sources: setups }: Setup): World {
  const time: VirtualTime = startVirtualTime();
  let moment = 0;
  /** The clock at each moment. */
  const clocks: number[] = [time.now];
  const sources = setups.map(
    (setup): Source => ({
      setup,
      manner: 'prompt',
      states: new Map(),
      faults: new Map(),
      calls: [],
      file: setup.kind === 'file' ? createGroupFile(() => time.now) : undefined,
    }),
  );
  const pending = new Set<Pending>();
  let violation: Error | undefined;
  const counters = createCounters();
  const log = createLogger(() => {});
  const providers = sources.map((source) => ({ name: source.setup.name, provider: providerOf(source) }));
  const config = parseConfig(tablesOf(rules), '/test.toml');
  const answerer: Answerer = createAnswerer(config, providers, log, counters, () => time.now);

  function tick(): number {
    moment++;
    clocks[moment] = time.now;
    return moment;
  }

  function momentAt(clock: number): number {
    const found = clocks.findIndex((at) => at >= clock);
    return found < 0 ? moment : found;
  }

  function stateOf(source: Source, subject: string): State {
    return source.states.get(subject)?.at(-1)?.state;
  }

  function fault(source: Source, subject: string): void {
    const faults = source.faults.get(subject) ?? [];
    faults.push(tick());
    source.faults.set(subject, faults);
  }

  function providerOf(source: Source): GroupProvider {
    const { kind } = source.setup;
    const { file } = source;
    if (file !== undefined) return file.provider;
    return {
      groups: (user, signal) => {
        const subject = subjectOf(kind, { user: user.name, account: user.account, remoteIp: user.remoteIp ?? '' });
        if (source.manner === 'prompt') return Promise.resolve(asGroups(stateOf(source, subject)));
        if (source.manner === 'failing') {
          fault(source, subject);
          return Promise.reject(new Error('the source is gone'));
        }
        return new Promise((resolve, reject) => {
          signal.addEventListener('abort', () => fault(source, subject));
          const read = source.manner === 'slow' ? { read: { state: stateOf(source, subject) } } : {};
          source.calls.push({ subject, began: moment, finish: resolve, fail: reject, ...read });
        });
      },
      ...(kind === 'address' && { cacheKey: ({ remoteIp = '' }: LoginUser) => remoteIp }),
    };
  }

  function heldCall(index: number): { readonly source: Source; readonly call: Call } | undefined {
    const held = sources.flatMap((source) => source.calls.map((call) => ({ source, call })));
    return held[index % Math.max(1, held.length)];
  }

  function take({ source, call }: { readonly source: Source; readonly call: Call }): Call {
    source.calls.splice(source.calls.indexOf(call), 1);
    return call;
  }

  /** What Dovecot makes of an answer. `back` is what mail processes are told in the end. */
  function check(one: Pending, verdict: string, text: string, back: Told | undefined): void {
    const { arrival } = one;
    const { door } = arrival;
    // A process that answers one login keeps nothing.
    const own = door === 'exec' ? { ...rules, ttl: 0, staleTtl: 0 } : rules;
    const { name, account } = lookedUp(arrival, rules);
    const allowed = allowedOutcomes(
      arrival,
      sources.map(({ setup: { kind }, states, faults, file }) => {
        const subject = subjectOf(kind, { ...arrival, user: name, account });
        return file?.history(name, account) ?? historyOf(states.get(subject) ?? [], faults.get(subject) ?? []);
      }),
      { from: one.from, to: moment, came: one.came, answered: time.now },
      own,
      momentAt,
    );
    const fail = (what: string): void => {
      violation ??= new Error(`${what}\nlogin: ${JSON.stringify(arrival)}\nallowed: ${JSON.stringify(allowed)}`);
    };
    if (time.now - one.came > rules.timeout + 250) fail(`answered after ${time.now - one.came} ms`);
    if (verdict === 'deny') {
      if (back !== undefined) fail(`denied, and yet answered with ${JSON.stringify(back)}`);
      const tooLong = door === 'narrow' && rules.onError === 'deny';
      if (!allowed.includes('deny') && !(tooLong && allowed.some(isLong))) fail('denied without a reason');
      return;
    }
    const { user, fields } = back ?? { user: '', fields: [] };
    const others = (all: readonly Field[]): string => JSON.stringify(all.filter(({ key }) => !GROUP_FIELD.test(key)));
    if (user !== arrival.user || others(fields) !== others(arrival.fields)) fail(`fields changed: ${JSON.stringify(fields)}`);
    if (verdict === 'unknown') {
      if (JSON.stringify(fields) !== JSON.stringify(arrival.fields)) fail(`an unknown user's fields changed: ${JSON.stringify(fields)}`);
      if (!allowed.includes('unknown')) fail('taken for unknown');
      return;
    }
    const granted = groupsByFields(fields, user, rules.version);
    const byValue = readList(text, user, rules.version);
    if (JSON.stringify(granted) !== JSON.stringify(byValue))
      fail(`the reply grants ${JSON.stringify(granted)}, the value ${JSON.stringify(byValue)}`);
    if (allowed.some((outcome) => JSON.stringify(outcome) === JSON.stringify(granted))) {
      if (door === 'narrow' && text.length > NARROW_ROOM) fail(`a value of ${text.length} bytes where there is room for ${NARROW_ROOM}`);
      return;
    }
    if (door === 'narrow' && rules.onError === 'continue' && allowed.some((outcome) => isCutOff(outcome, granted, text, rules.version)))
      return;
    fail(`granted ${JSON.stringify(granted)}`);
  }

  async function answerByService(arrival: Arrival): Promise<Answered> {
    const conversation = postLogin.open();
    const line = Buffer.from(writeRequest(arrival.user, arrival.fields, arrival.remoteIp));
    const [step] = conversation.push(Buffer.concat([Buffer.from('VERSION\tscript-login\t1\t0\n'), line]));
    if (step?.kind !== 'login') throw new Error(`no login: ${JSON.stringify(step)}`);
    const outcome = await answerer.answer(step.facts(), arrival.door === 'narrow');
    const reply = step.reply(outcome);
    const back = reply === undefined ? undefined : readLine(bytesToText(reply).replace(/\n$/, ''), 0);
    return { verdict: outcome.verdict, text: bytesToText(outcome.text), back };
  }

  async function answerByExec(variables: Variables): Promise<Answered> {
    const environment = new Map([...variables].map(([name, value]) => [name, Buffer.from(value).toString('latin1')]));
    const version = (): Promise<VersionFound> =>
      Promise.resolve({ version: rules.version, source: 'dovecot_version', text: rules.version });
    const request = await requestOf(factsFromEnvironment(environment), config, version);
    const decision = await decide(request, providers, config, version, log);
    const plan = formatPlan({ ...changesBy(decision, request, environment), optionWords: 0, program: '/bin/true', unset: [] });
    const changed = carryOut(plan.toString(), variables);
    const back = changed && { user: changed.get('USER') ?? '', fields: fieldsOf(changed) };
    return { verdict: decision.value === undefined ? 'deny' : decision.answer.verdict, text: changed?.get('ACL_GROUPS') ?? '', back };
  }

  return {
    change(source, subject, state) {
      const owner = sources[source % sources.length];
      if (owner?.file !== undefined) {
        owner.file.setMember(subject, state, tick());
        return;
      }
      const states = owner?.states.get(subject) ?? [{ moment: 0, state: undefined }];
      states.push({ moment: tick(), state });
      owner?.states.set(subject, states);
    },
    happen: (source, accident) => sources[source % sources.length]?.file?.happen(accident, tick()),
    manner(source, manner) {
      const owner = sources[source % sources.length];
      if (owner !== undefined) owner.manner = manner;
    },
    arrive(arrival) {
      const exec = arrival.door === 'exec';
      const variables = variablesOf(arrival.user, arrival.fields, arrival.remoteIp, rules.version);
      // What the userdb gave is by now what script-login passes on.
      const one: Pending = {
        arrival: exec ? { ...arrival, fields: fieldsOf(variables) } : arrival,
        from: tick(),
        came: time.now,
      };
      pending.add(one);
      const done = ({ verdict, text, back }: Answered): void => {
        pending.delete(one);
        tick();
        check(one, verdict, text, back);
      };
      const failed = (error: unknown): void => {
        violation ??= new Error(`an error for ${JSON.stringify(arrival)}: ${String(error)}`);
      };
      void Promise.resolve()
        .then(() => (exec ? answerByExec(variables) : answerByService(arrival)))
        .then(done)
        .catch(failed);
    },
    read(index) {
      const held = heldCall(index);
      if (held !== undefined) held.call.read ??= { state: stateOf(held.source, held.call.subject) };
    },
    answer(index) {
      const held = heldCall(index);
      if (held === undefined) return;
      const { read, subject, finish } = take(held);
      finish(asGroups(read === undefined ? stateOf(held.source, subject) : read.state));
    },
    fail(index, malformed) {
      const held = heldCall(index);
      if (held === undefined) return;
      const call = take(held);
      fault(held.source, call.subject);
      if (malformed === undefined) call.fail(new Error('the source is gone'));
      else call.finish(malformed as readonly Group[]);
    },
    async advance(milliseconds) {
      await time.advance(milliseconds);
      tick();
    },
    forget: () => answerer.forget(),
    async settle() {
      await time.settle();
      if (violation !== undefined) throw violation;
    },
    async finish() {
      for (const source of sources) source.manner = 'prompt';
      while (pending.size > 0) {
        const held = heldCall(0);
        if (held === undefined) await this.advance(rules.timeout + 250);
        else {
          const { subject, finish } = take(held);
          finish(asGroups(stateOf(held.source, subject)));
        }
        const before = pending.size;
        await this.settle();
        if (held === undefined && pending.size === before) throw new Error(`${before} logins without an answer`);
      }
    },
    end() {
      time.end();
      for (const { file } of sources) file?.end();
    },
  };
}

/** What a source knows somebody by. */
export function subjectOf(kind: Kind, { user, account, remoteIp }: { user: string; account: string; remoteIp: string }): string {
  return kind === 'account' ? account : kind === 'name' ? user : `${user} at ${remoteIp}`;
}

function asGroups(state: State): readonly Group[] | undefined {
  return state?.map((group) => ({ ...group }));
}

function bytesToText(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** Whether names may be too many for the room that there is. Of a value that ends the login nothing more is known. */
function isLong(outcome: Outcome): boolean {
  if (outcome === 'dies') return true;
  if (typeof outcome === 'string') return false;
  return Buffer.byteLength(outcome.join(',')) > NARROW_ROOM / 4;
}

/** Whether a value has the first ones of these groups, and no room for one more. */
function isCutOff(outcome: Outcome, granted: readonly string[] | 'dies' | undefined, text: string, version: Version): boolean {
  if (typeof outcome === 'string' || !Array.isArray(granted)) return false;
  const next = outcome[granted.length];
  const isStart = granted.every((name, index) => name === outcome[index]);
  const separator = text === '' ? 0 : 1;
  return isStart && next !== undefined && text.length <= NARROW_ROOM && text.length + separator + lengthOf(next, version) > NARROW_ROOM;
}

/** The bytes that a name takes in a value. */
function lengthOf(name: string, version: Version): number {
  const count = (character: string): number => name.split(character).length - 1;
  if (version === '2.3') return Buffer.byteLength(name) + count('%');
  const quotes = /[ ,"\\]|^inline:/.test(name) ? 2 : 0;
  return Buffer.byteLength(name) + quotes + count('"') + 3 * count('\\');
}

/** The configuration as TOML has it. */
function tablesOf(rules: Rules): Record<string, unknown> {
  return {
    on_error: rules.onError,
    on_incomplete: rules.onIncomplete,
    timeout: `${rules.timeout}ms`,
    dovecot_version: rules.version,
    user_format: rules.userFormat,
    master_user: rules.masterUser,
    groups: {
      include: rules.include,
      exclude: rules.exclude,
      // With own properties of any name, as TOML's parser makes them.
      rename: Object.fromEntries(rules.rename),
      add: rules.add,
      case: rules.lower ? 'lower' : 'keep',
    },
    cache: { ttl: `${rules.ttl}ms`, stale_ttl: `${rules.staleTtl}ms` },
    userdb: { room: '7K' },
  };
}
