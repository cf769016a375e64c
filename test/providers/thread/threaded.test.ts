import { chmodSync, chownSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { loginUser } from '../../../src/providers/contract.js';
import { type Odd, type OddFolder, oddFolder } from './odd-provider.js';

const folders: OddFolder[] = [];
const opened: Odd[] = [];
afterEach(async () => {
  for (const { provider } of opened.splice(0)) await provider.close?.();
});
afterAll(() => {
  for (const folder of folders) folder.remove();
});

function folder(source?: string): OddFolder {
  const made = oddFolder(source);
  folders.push(made);
  return made;
}

async function open(table: Readonly<Record<string, unknown>> = {}, main: Readonly<Record<string, unknown>> = {}): Promise<Odd> {
  const odd = await folder().open(table, main);
  opened.push(odd);
  return odd;
}

describe('what is asked of a third-party provider', () => {
  it('is answered from its thread as it would be here', async () => {
    const here = folder();
    const [odd, direct] = [await here.open(), await here.open({}, {}, false)];
    opened.push(odd, direct);
    for (const one of [odd, direct]) {
      expect(await one.groups(loginUser('known'))).toMatchObject([{ name: 'staff', gid: 7, dn: 'cn=staff' }]);
      expect(await one.names('empty')).toEqual([]);
      expect(await one.names('stranger')).toBeUndefined();
      expect(await one.groups(loginUser('fields', { fields: new Map([['home', '/x']]) }))).toMatchObject([{ name: 'home=/x' }]);
      expect(await one.provider.cacheKey?.(loginUser('bob'))).toBe('key of bob');
      expect(await one.provider.check?.(new AbortController().signal)).toMatchObject([{ level: 'warning', message: 'odd' }]);
      await expect(one.names('fail')).rejects.toThrow(/^no source/);
      expect(one.lines).toEqual([]);
    }
    expect(await odd.names('context')).toEqual([`${here.path} true`]);
    expect(await direct.names('context')).toEqual([`${here.path} false`]);
  });

  it('is an error with its causes where it fails', async () => {
    const { names } = await open();
    await expect(names('fail')).rejects.toThrow(/^no source: no network$/);
    await expect(names('void')).rejects.toThrow(/^something without a text was thrown$/);
    await expect(names('trap')).rejects.toThrow(/^something without a text was thrown$/);
    await expect(names('novel')).rejects.toThrow(/^x{1000}… \(5000000 characters\)$/);
  });

  it("may use the thread's own port for itself", async () => {
    const { names, lines } = await open();
    expect(await names('post')).toEqual(['posted']);
    expect(await names('unlisten')).toEqual(['closed']);
    expect(await names('data')).toEqual(['given', 'naming']);
    expect(lines).toEqual([]);
  });

  it('may be groups with getters', async () => {
    const { names } = await open();
    expect(await names('getter')).toEqual(['a getter']);
  });

  const NOT_GROUPS = 'odd: answered with something other than undefined or a list of groups such as [{ name: "staff" }]: ';
  it.each([
    ['null', 'found null'],
    ['new Map()', 'found an object'],
    ['"staff"', 'found a string'],
    ['["staff"]', 'number 1 of the list is a string'],
    ['[{ name: "a" }, , { name: "b" }]', 'number 2 of the list is undefined'],
    ['[{ name: () => {} }]', 'name of number 1 of the list is a function, not a string'],
    ['[{ name: "a" }, { name: "b", skip: null }]', 'skip of number 2 of the list is null, not a string or undefined'],
    ['[{ name: "a", gid: "7" }]', 'gid of number 1 of the list is a string, not a number or undefined'],
  ])('is an error for %s', async (list, problem) => {
    const { groups } = await open();
    await expect(groups(loginUser(`list:${list}`))).rejects.toThrow(NOT_GROUPS + problem);
  });

  it('is an error for more groups than anybody has, which the service would stand still over', async () => {
    const { groups } = await open();
    const list = (length: number): string => `list:Array(${length}).fill({ name: 'a' })`;
    expect(await groups(loginUser(list(100_000)))).toHaveLength(100_000);
    await expect(groups(loginUser(list(100_001)))).rejects.toThrow(/^odd: answered with 100001 groups, more than 100000$/);
  });

  it('is an error for a cache key that is no text', async () => {
    const { provider } = await open();
    await expect(provider.cacheKey?.(loginUser('key:number'))).rejects.toThrow(/^cacheKey\(\) returned a number, not a string$/);
  });
});

describe('a provider that blocks its thread', () => {
  it('has failed for that user, with an error in the log, and answers all others', async () => {
    const { names, lines } = await open();
    await expect(names('loop', 300)).rejects.toThrow(/^no answer within 300 ms$/);
    expect(await names('known')).toEqual(['staff']);
    expect(lines).toEqual([
      'error: provider odd: the lookup of loop blocked its thread, which was terminated; a new one answers the lookup that was in it',
    ]);
  });

  it('is asked again, once, for those in the thread who still have time', async () => {
    const { names, lines } = await open();
    const blocked = expect(names('loop', 300)).rejects.toThrow(/^no answer within 300 ms$/);
    const others = Promise.all([names('known'), names('asked'), names('stranger')]);
    await blocked;
    expect(await others).toEqual([['staff'], ['2'], undefined]);
    expect(lines).toEqual([
      'error: provider odd: the lookup of loop blocked its thread, which was terminated; a new one answers the 3 lookups that were in it',
    ]);
  });

  it('fails whoever blocks every thread', async () => {
    const { names, lines } = await open();
    const first = expect(names('loop', 300)).rejects.toThrow('no answer within 300 ms');
    const second = expect(names('loop', 3000)).rejects.toThrow('no answer within 3000 ms');
    const third = expect(names('known')).resolves.toEqual(['staff']);
    await Promise.all([first, second]);
    // It was in both threads, and the second one was blocked as well.
    await third.catch(() => undefined);
    expect(lines).toHaveLength(2);
    expect(await names('known')).toEqual(['staff']);
  });

  it('in cacheKey() has failed after the time for an answer', async () => {
    const { provider, names, lines } = await open({}, { timeout: '300ms' });
    await expect(provider.cacheKey?.(loginUser('key:loop'))).rejects.toThrow(/^odd: no answer of cacheKey\(\) within 300 ms$/);
    expect(await names('known')).toEqual(['staff']);
    expect(lines).toEqual([
      'error: provider odd: cacheKey() of key:loop blocked its thread, which was terminated; a new one answers the lookup that was in it',
    ]);
  });
});

describe('a provider that ignores its AbortSignal', () => {
  it('has its thread replaced, and what runs in it comes to its end', async () => {
    const { names, lines } = await open();
    const slow = names('wait:1500');
    expect(await names('asked')).toEqual(['2']);
    await expect(names('deaf', 300)).rejects.toThrow(/^no answer within 300 ms$/);
    await expect.poll(() => lines).toEqual(['error: provider odd: the lookup of deaf ignores its AbortSignal; its thread is replaced']);
    expect(await names('asked')).toEqual(['1']);
    expect(await slow).toEqual(['slow']);
  });

  it('and one that heeds it keeps its thread', async () => {
    const { names, lines } = await open();
    await expect(names('patient', 100)).rejects.toThrow(/^no answer within 100 ms$/);
    expect(await names('wait:400')).toEqual(['slow']);
    expect(await names('asked')).toEqual(['3']);
    expect(lines).toEqual([]);
  });
});

describe('what would end the service', () => {
  it.each([
    [
      'reject',
      /^error: provider odd: a promise that it does not wait for was rejected: nobody waits \(at .*odd\.mjs:\d+:\d+\)?\); the service goes on$/,
    ],
    ['throw', /^error: provider odd: uncaught exception: out of the blue \(at .*odd\.mjs:\d+:\d+\)?\); the service goes on$/],
  ])('is an error in the log: %s', async (what, line) => {
    const { names, lines } = await open();
    expect(await names(what)).toEqual([]);
    await expect.poll(() => lines).toHaveLength(1);
    expect(lines[0]).toMatch(line);
    expect(await names('asked')).toEqual(['2']);
  });

  it('ends the thread alone: process.exit()', async () => {
    const { names, lines } = await open();
    await expect(names('exit')).rejects.toThrow(/^odd: its thread ended, for the second time under this lookup$/);
    expect(await names('known')).toEqual(['staff']);
    const line = 'error: provider odd: its thread ended: its code called process.exit(3); a new one answers the lookup that was in it';
    expect(lines).toEqual([line, line]);
  });

  it('ends the thread alone: more memory than it may have', async () => {
    const { names, lines } = await open();
    await expect(names('leak')).rejects.toThrow(/^odd: its thread ended, for the second time under this lookup$/);
    expect(await names('known')).toEqual(['staff']);
    const line =
      'error: provider odd: its thread ended: out of memory (more than 512 MiB): a leak?; a new one answers the lookup that was in it';
    expect(lines).toEqual([line, line]);
  });
});

describe('what a provider writes', () => {
  it('to standard output and standard error goes to the log', async () => {
    const { names, lines } = await open();
    expect(await names('print')).toEqual([]);
    await expect.poll(() => lines).toHaveLength(4);
    expect([...lines].sort()).toEqual([
      'warning: provider odd wrote to standard error: three',
      'warning: provider odd wrote to standard output: four',
      'warning: provider odd wrote to standard output: one',
      'warning: provider odd wrote to standard output: two',
    ]);
  });

  it('to its log arrives there', async () => {
    const { names, lines } = await open();
    expect(await names('log')).toEqual([]);
    expect(lines).toEqual(['warning: w', 'info: i', 'error: e', 'debug: d']);
  });

  it('without end is dropped', async () => {
    const { names, lines } = await open();
    await names('chatter');
    expect(lines).toHaveLength(500);
    await names('wait:1100');
    await names('log');
    expect(lines.slice(500)).toEqual([
      'warning: provider odd: 1500 more lines of log within a second were dropped',
      'warning: w',
      'info: i',
      'error: e',
      'debug: d',
    ]);
  });
});

describe('a start that fails', () => {
  it.each([
    [{ mood: 1 }, 'mood: expected a text'],
    [{ moood: 'good' }, 'unknown key "moood"; allowed are notes, mood'],
    [{ mood: 'contradictory' }, 'these options contradict each other'],
    [{ mood: 'nothing' }, 'create() of the provider "odd" returned no object with a groups() method'],
  ])('is a ConfigError: %o', async (table, problem) => {
    const here = folder();
    const message = `${here.config}: [provider.odd]: ${problem}`;
    await expect(here.open(table)).rejects.toMatchObject({ name: 'ConfigError', message });
    await expect(here.open(table, {}, false)).rejects.toMatchObject({ name: 'ConfigError', message });
  });

  it('is one for a module that does not load, or is none', async () => {
    const here = folder('export default {};');
    const start = `${here.config}: providers: "./odd.mjs": `;
    await expect(here.open()).rejects.toMatchObject({
      name: 'ConfigError',
      message: `${start}the module's default export is no provider; write it with defineProvider() from "acl-groups"`,
    });
    await expect(here.open({}, { providers: ['./even.mjs'] })).rejects.toMatchObject({
      name: 'ConfigError',
      message: `${start.replace('./odd', './even')}not installed: there is no such file`,
    });
    const leaving = folder('process.exit(4)');
    await expect(leaving.open()).rejects.toMatchObject({
      name: 'ConfigError',
      message: `${leaving.config}: providers: "./odd.mjs": its code called process.exit(4)`,
    });
  });

  it('leaves no thread behind', async () => {
    const here = folder();
    await expect(here.open({}, { providers: ['./odd.mjs', './odd.mjs'] })).rejects.toThrow(
      '"./odd.mjs" is given twice; leave one of them out',
    );
    await expect.poll(() => process.getActiveResourcesInfo().filter((kind) => kind === 'MessagePort').length).toBe(0);
  });
});

describe('a module that others may write', () => {
  it.each([true, false])('is refused, in a thread (%s)', async (resident) => {
    const here = folder();
    chmodSync(here.module, 0o666);
    await expect(here.open({}, {}, resident)).rejects.toMatchObject({
      name: 'ConfigError',
      message: `${here.config}: providers: "./odd.mjs": refused: ${here.module} may be written by others than its owner (mode 666); run: chmod go-w ${here.module}`,
    });
    chmodSync(here.module, 0o644);
    chownSync(here.module, 12_345, 0);
    await expect(here.open({}, {}, resident)).rejects.toMatchObject({
      name: 'ConfigError',
      message: `${here.config}: providers: "./odd.mjs": refused: ${here.module} belongs to uid 12345, not to root; run: chown root ${here.module}`,
    });
  });
});

describe('close()', () => {
  it('runs when no lookup does', async () => {
    const here = folder();
    const { provider, names, lines } = await here.open();
    const slow = names('wait:500');
    await provider.close?.();
    expect(await slow).toEqual(['slow']);
    expect(readFileSync(join(here.path, 'closed'), 'utf8')).toBe('0');
    await expect(names('known')).rejects.toThrow(/^odd: is closed$/);
    expect(lines).toEqual([]);
  });

  it.each([true, false])('never runs while a lookup does that ignores its signal, in a thread (%s)', async (resident) => {
    const here = folder();
    const { provider, lines } = await here.open({}, {}, resident);
    const abort = new AbortController();
    const deaf = provider.groups(loginUser('deaf'), abort.signal);
    deaf.catch(() => undefined);
    abort.abort(new Error('too late'));
    await provider.close?.();
    expect(existsSync(join(here.path, 'closed'))).toBe(false);
    expect(lines).toEqual([
      resident
        ? 'error: provider odd: the lookup of deaf ignores its AbortSignal; its thread is replaced'
        : 'warning: provider odd: not closed, because a lookup of it ignored the time limit',
    ]);
  });

  it.each([
    ['clinging', 'close() did not end within 300 ms'],
    ['failing', 'can not close'],
  ])('that does not end well ends the thread all the same: %s', async (mood, problem) => {
    const { provider, lines } = await folder().open({ mood });
    await provider.close?.();
    await provider.close?.();
    expect(lines).toEqual([`warning: provider odd: ${problem}; its thread is terminated`]);
  });
});
