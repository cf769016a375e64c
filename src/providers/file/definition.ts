import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { explain, ProviderError } from '../../support/errors.js';
import { type WatchedFile, watchFile } from '../../support/watched-file.js';
import { defineProvider, type Finding, type Group, type ProviderDefinition } from '../provider.js';
import { type GroupFile, parseGroupFile } from './group-file.js';
import { type FileOptions, OPTIONS } from './options.js';

const NAME = 'file';

/**
 * Groups of virtual users. A member is the user's whole name or his account (see `user_format`); both count, and both are compared
 * exactly. A user that no line mentions is unknown, since the file has nothing else to know users by. The file is read when it is first
 * needed, and again when it has changed.
 */
const file: ProviderDefinition<FileOptions> = defineProvider({
  name: NAME,
  description: 'a group file of virtual users',
  options: OPTIONS,
  create: (options, { directory, log }) => {
    const groups = watchFile(resolve(directory, options.path), (binary) => {
      const parsed = parseGroupFile(Buffer.from(binary, 'latin1').toString('utf8'));
      log.debug(`${NAME}: read ${options.path}: ${parsed.size} users`);
      return parsed;
    });
    return {
      async groups({ name, account }, signal) {
        signal.throwIfAborted();
        const members = read(groups);
        const found = new Set([...(members.get(name) ?? []), ...(members.get(account) ?? [])]);
        return found.size === 0 ? undefined : [...found];
      },
      check: async () => check(groups),
    };
  },
});
export default file;

/** @throws ProviderError saying which file, what is wrong with it and how to mend it */
function read(groups: WatchedFile<GroupFile>): GroupFile {
  try {
    return groups.read();
  } catch (error) {
    const fix = FIXES[error instanceof Error && 'code' in error ? String(error.code) : ''] ?? 'mend that line';
    throw new ProviderError(NAME, `${groups.path} can't be used: ${explain(error)}; ${fix}`, { cause: error });
  }
}

/** What helps against an error number of open(2) or read(2). */
const FIXES: Readonly<Record<string, string>> = {
  ENOENT: `make it, or mend path in [provider.${NAME}]`,
  EACCES: 'give the user that acl-groups runs as the right to read it',
  EISDIR: `path in [provider.${NAME}] has to name a file`,
};

function check(groups: WatchedFile<GroupFile>): readonly Finding[] {
  try {
    const members = read(groups);
    const names = new Set<Group>([...members.values()].flatMap((found) => [...found]));
    const count: Finding = { level: 'ok', message: `${groups.path}: ${names.size} groups with members, ${members.size} users` };
    return (statSync(groups.path).mode & 0o022) === 0 ? [count] : [count, writable(groups.path)];
  } catch (error) {
    return [{ level: 'error', message: explain(error) }];
  }
}

function writable(name: string): Finding {
  return { level: 'warning', message: `${name}: others than its owner can write this file`, fix: `chmod go-w ${name}` };
}
