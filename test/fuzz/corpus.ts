import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Inputs that are kept of a target: a file of text, each line a JSON string. */
export function readCorpus(directory: string, target: string): readonly string[] {
  const file = fileOf(directory, target);
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  return lines.map((line) => String(JSON.parse(line)));
}

/** Keeps the shortest of some inputs, sorted, so that a change to them is easy to look at. */
export function writeCorpus(directory: string, target: string, inputs: readonly string[], most: number): void {
  const shortest = [...new Set(inputs)].sort((a, b) => a.length - b.length).slice(0, most);
  const lines = shortest.map(inAscii).sort();
  writeFileSync(fileOf(directory, target), lines.map((line) => `${line}\n`).join(''));
}

/** A JSON string that any terminal and any editor shows. */
export function inAscii(input: string): string {
  return JSON.stringify(input).replace(/[^ -~]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

const fileOf = (directory: string, target: string): string => join(directory, `${target.replaceAll(/[ .]/g, '-')}.txt`);
