import { afterEach, describe, expect, it } from 'vitest';
import { loginUser } from '../../../src/providers/contract.js';
import { createKeeper, type Keeper, type KeeperLimits } from '../../../src/providers/thread/keeper.js';
import { createLogger } from '../../../src/support/log.js';
import { lookupSignal, type OddFolder, oddFolder } from './odd-provider.js';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

interface Kept {
  readonly folder: OddFolder;
  readonly keeper: Keeper;
  readonly lines: readonly string[];
  ask(user: string, timeout?: number): Promise<unknown>;
}

async function keep(limits: Partial<KeeperLimits>): Promise<Kept> {
  const folder = oddFolder();
  const lines: string[] = [];
  const log = createLogger((level, message) => lines.push(`${level}: ${message}`));
  const naming = { configFile: folder.config, place: `${folder.config}: providers`, builtIn: [] };
  const keeper = createKeeper({ given: './odd.mjs', naming }, log, limits);
  ends.push(folder.remove, keeper.close);
  await keeper.load();
  await keeper.create({ kind: 'create', table: { given: { notes: folder.path }, where: '[provider.odd]' }, directory: folder.path });
  return {
    folder,
    keeper,
    lines,
    ask: (user, timeout = 60_000) => keeper.call({ method: 'groups', user: loginUser(user) }, lookupSignal(timeout)),
  };
}

describe('a provider whose thread dies at each start', () => {
  it('is not tried again for a time, which is doubled each time, and forgotten after a good start', async () => {
    const { folder, lines, ask } = await keep({ firstPause: 400, longestPause: 800 });
    folder.note('broken');
    await expect(ask('exit')).rejects.toThrow("odd: its thread can't be started: [provider.odd]: the source is gone");
    const gone = lines.length;
    await expect(ask('known')).rejects.toThrow("odd: its thread can't be started: [provider.odd]: the source is gone");
    // Not even tried.
    expect(lines).toHaveLength(gone);
    for (let turn = 0; turn < 2; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 850));
      await expect(ask('known')).rejects.toThrow("odd: its thread can't be started: [provider.odd]: the source is gone");
    }
    folder.note('broken', 'no');
    await new Promise((resolve) => setTimeout(resolve, 850));
    expect(await ask('known')).toMatchObject([{ name: 'staff' }]);
    expect(lines).toEqual([
      'error: provider odd: its thread ended: its code called process.exit(3); a new one answers the lookup that was in it',
      ...[400, 800, 800].map(
        (pause) => `error: provider odd: its thread can't be started: [provider.odd]: the source is gone; not tried again for ${pause} ms`,
      ),
    ]);
  });

  it('is given up on when it does not come to an end', async () => {
    const { folder, lines, ask } = await keep({ start: 5000 });
    folder.note('loop');
    await expect(ask('exit')).rejects.toThrow("odd: its thread can't be started: create() did not end within 5000 ms");
    expect(lines.slice(1)).toEqual([
      "error: provider odd: its thread can't be started: create() did not end within 5000 ms; not tried again for 100 ms",
    ]);
  });
});

describe('a provider that keeps more memory than it may', () => {
  it('has its thread replaced before V8 ends it', async () => {
    const { lines, ask } = await keep({ weighable: 0 });
    await ask('heavy');
    for (let turn = 0; lines.length === 0 && turn < 50; turn++) await ask('heavy');
    await expect.poll(() => lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^error: provider odd: keeps \d+ MiB of memory \(a leak\?\); its thread is replaced$/);
    expect(await ask('asked')).toMatchObject([{ name: '1' }]);
  });
});
