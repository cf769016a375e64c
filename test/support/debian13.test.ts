import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { removeAbandoned } from './debian13.js';
import { temporaryDirectory } from './temporary.js';

test('the unfinished trees of runs that are over are removed, and nothing else', async () => {
  const directory = temporaryDirectory();
  const start = readFileSync('/proc/self/stat', 'utf8').replace(/.*\) /s, '').split(' ')[19];
  const kept = ['other', `other.${process.pid}-1`, 'tree', `tree.${process.pid}-${start}`, 'tree.conf'];
  for (const name of [...kept, `tree.${process.pid}-1`, 'tree.4194305-77']) mkdirSync(join(directory, name, 'etc'), { recursive: true });
  await removeAbandoned(join(directory, 'tree'));
  expect(readdirSync(directory).sort()).toEqual(kept.sort());
});
