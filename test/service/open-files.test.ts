import { describe, expect, it } from 'vitest';
import { roomForConnections, roomWithin } from '../../src/service/open-files.js';

describe('the room for connections', () => {
  it.each([
    [64, 18, { connections: 30, openFiles: 64 }],
    [1024, 18, { connections: 750, openFiles: 1024 }],
    [20, 18, { connections: 4, openFiles: 20 }],
    [16_384, 18, { connections: 16_110, openFiles: 16_384 }],
    [524_288, 18, { connections: 16_384, openFiles: undefined }],
  ])('within a limit of %i with %i descriptors open', (limit, open, room) => {
    expect(roomWithin(limit, open)).toEqual(room);
  });

  it("is found by this process' own limit", () => {
    expect(roomForConnections().connections).toBeGreaterThan(0);
  });
});
