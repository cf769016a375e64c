import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { inAscii, readCorpus } from './corpus.js';
import { fuzz, shrink } from './fuzzer.js';
import { TARGETS } from './targets.js';

const CORPUS = fileURLToPath(new URL('corpus', import.meta.url));

describe.each(TARGETS)('$name', (target) => {
  it('reads rightly what was kept of longer runs, and some thousand inputs more', () => {
    const corpus = readCorpus(CORPUS, target.name);
    const { finding, inputs } = fuzz(target, { count: 3000, seed: 1, corpus });
    expect(finding && `${inAscii(finding.input)}: ${finding.error}`).toBeUndefined();
    expect(inputs).toBe(3000);
  });
});

describe('shrink', () => {
  it('leaves what an input needs, and makes the rest plain', () => {
    expect(
      shrink('some (text) with [brackets] in it', (text) => text.includes('(') && text.indexOf(']') > text.indexOf('(') + 2, 1000),
    ).toBe('(aa]');
  });
});
