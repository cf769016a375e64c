import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, vi } from 'vitest';
import { parseArguments } from '../../src/args.js';
import { lookup } from '../../src/commands/lookup.js';
import { providers } from '../../src/commands/providers.js';
import { status as showStatus } from '../../src/commands/status.js';

/** A temporary directory of a test file, with the files that it wants in it. */
export interface TestDirectory {
  readonly path: string;
  /** Writes a file that only its owner can write, and gives its path. */
  write(name: string, text: string | Buffer): string;
}

/** Makes a directory that is removed after the test file. */
export function testDirectory(): TestDirectory {
  const path = mkdtempSync(join(tmpdir(), 'acl-groups-unit-'));
  afterAll(() => rmSync(path, { recursive: true }));
  return {
    path,
    write(name, text) {
      const file = join(path, name);
      writeFileSync(file, text);
      chmodSync(file, 0o644);
      return file;
    },
  };
}

/** Runs a command in this process, as main.ts does, and catches what it prints on stdout. */
export async function runCommand(...argv: readonly string[]): Promise<{ readonly status: number; readonly stdout: string }> {
  const invocation = parseArguments(argv);
  let stdout = '';
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    stdout += String(text);
    return true;
  });
  try {
    const run = { lookup, providers, status: showStatus }[invocation.command as 'lookup' | 'providers' | 'status'];
    const status = await run(invocation);
    return { status, stdout };
  } finally {
    write.mockRestore();
  }
}
