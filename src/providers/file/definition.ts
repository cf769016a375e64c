import { resolve } from 'node:path';
import { explain, ProviderError } from '../../support/errors.js';
import { UntrustedFileError, whyReplaceable } from '../../support/trusted-file.js';
import { type WatchedFile, watchFile } from '../../support/watched-file.js';
import { defineProvider, type Finding, type Group, type ProviderDefinition } from '../provider.js';
import { type Memberships, readMemberships } from './memberships.js';
import { type FileOptions, OPTIONS } from './options.js';

const NAME = 'file';

/**
 * Groups of virtual users. A member is the user's whole name or his account (see `user_format`); both count, and both are compared
 * exactly. A user that no line mentions is unknown, since the file has nothing else to know users by. The file is read when it is first
 * needed, and again when it has changed. It decides about rights, so it is refused if others could have written it.
 */
const file: ProviderDefinition<FileOptions> = defineProvider({
  name: NAME,
  description: 'a group file of virtual users',
  options: OPTIONS,
  create: (options, { directory, log }) => {
    const parse = (text: string): Memberships => {
      const parsed = readMemberships(text);
      log.debug(`${NAME}: read ${options.path}: ${parsed.size} users`);
      return parsed;
    };
    const groups = watchFile(resolve(directory, options.path), parse, { trust: {} });
    return {
      async groups({ name, account }, signal) {
        signal.throwIfAborted();
        const members = read(groups);
        const found = new Set([...(members.get(name) ?? []), ...(members.get(account) ?? [])]);
        return found.size === 0 ? undefined : [...found];
      },
      check: async () => check(groups),
      async groupNames() {
        return [...new Set([...read(groups).values()].flatMap((found) => [...found].map(({ name }) => name)))];
      },
    };
  },
});
export default file;

/** @throws ProviderError saying which file, what is wrong with it and how to fix it */
function read(groups: WatchedFile<Memberships>): Memberships {
  try {
    return groups.read();
  } catch (error) {
    // Says all of that by itself.
    if (error instanceof UntrustedFileError) throw new ProviderError(NAME, error.message, { cause: error });
    // Only errors of the system have a code: of a line that can't be read the message says what to do.
    const fix = error instanceof Error && 'code' in error ? `; ${FIXES[String(error.code)] ?? FIX}` : '';
    throw new ProviderError(NAME, `${groups.path} can't be used: ${explain(error)}${fix}`, { cause: error });
  }
}

const FIX = `correct path in [provider.${NAME}]`;

/** What helps against an error number of open(2) or read(2). */
const FIXES: Readonly<Record<string, string>> = {
  ENOENT: `create it, or ${FIX}`,
  EACCES: 'give the user that acl-groups runs as the right to read it',
};

function check(groups: WatchedFile<Memberships>): readonly Finding[] {
  try {
    const members = read(groups);
    const names = new Set<Group>([...members.values()].flatMap((found) => [...found]));
    const count: Finding = { level: 'ok', message: `${groups.path}: ${names.size} groups with members, ${members.size} users` };
    const replaceable = whyReplaceable(groups.path);
    if (replaceable === undefined) return [count];
    return [count, { level: 'warning', message: `the directory of ${groups.path} ${replaceable.problem}`, fix: replaceable.fix }];
  } catch (error) {
    return [{ level: 'error', message: explain(error) }];
  }
}
