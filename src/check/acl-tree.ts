import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { explain } from '../support/errors.js';

/** An ACL file's text, or why it can't be read. */
export interface FoundAcl {
  readonly path: string;
  readonly text?: string;
  readonly problem?: string;
}

/** Longer ones are no ACL files. */
const LONGEST = 16 * 1024 ** 2;

/**
 * The ACL files at a path: the file itself, or every `dovecot-acl` below a directory. What is below belongs to users, who could have put a
 * link there to a file that only root may read: no link is followed, in whatever moment it is put there.
 */
export function* aclFilesAt(path: string): Generator<FoundAcl> {
  try {
    // The path itself is the administrator's own word.
    const real = realpathSync(path);
    if (lstatSync(real).isDirectory()) yield* below(real);
    else yield read(real);
  } catch (error) {
    yield { path, problem: `can't be read: ${explain(error)}` };
  }
}

function* below(directory: string): Generator<FoundAcl> {
  let entries: readonly import('node:fs').Dirent[];
  try {
    entries = readdirSync(directory, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    yield { path: directory, problem: `can't be read: ${explain(error)}` };
    return;
  }
  for (const entry of entries) {
    const path = join(directory, entry.name);
    // Mails, which may be many.
    if (entry.isDirectory() && !['cur', 'new', 'tmp'].includes(entry.name)) yield* below(path);
    else if (entry.name === 'dovecot-acl') yield entry.isFile() ? read(path) : { path, problem: 'is a link or no regular file: not read' };
  }
}

function read(path: string): FoundAcl {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stats = fstatSync(descriptor);
    if (!stats.isFile() || stats.size > LONGEST) return { path, problem: 'is no ACL file: not read' };
    // A directory on the way may have become a link meanwhile.
    if (readlinkSync(`/proc/self/fd/${descriptor}`) !== path) return { path, problem: 'is reached by a link: not read' };
    return { path, text: readFileSync(descriptor, 'utf8') };
  } catch (error) {
    return { path, problem: `can't be read: ${explain(error)}` };
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
