import { describe, expect, it } from 'vitest';
import { ranked } from '../../src/support/srv.js';

describe('ranked', () => {
  const record = (name: string, priority: number, weight: number): { name: string; port: number; priority: number; weight: number } => ({
    name,
    port: 389,
    priority,
    weight,
  });

  it('puts lower priorities first', () => {
    expect(ranked([record('b', 20, 100), record('a', 10, 0), record('c', 30, 0)]).map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  });

  it('draws by weight within a priority', () => {
    const records = [record('light', 1, 10), record('heavy', 1, 90), record('none', 1, 0)];
    expect(ranked(records, () => 0.05).map(({ name }) => name)).toEqual(['light', 'heavy', 'none']);
    expect(ranked(records, () => 0.5).map(({ name }) => name)).toEqual(['heavy', 'light', 'none']);
  });

  it('names every server once', () => {
    const records = [record('a', 1, 0), record('b', 1, 0), record('c', 0, 0)];
    expect(new Set(ranked(records).map(({ name }) => name))).toEqual(new Set(['a', 'b', 'c']));
  });
});
