import { type OptionTable, option } from '../../config/options.js';
import { path } from '../../config/schema.js';

/** The keys of `[provider.file]`. */
export interface FileOptions {
  /** The group file; relative to the configuration's directory. */
  readonly path: string;
}

export const OPTIONS: OptionTable<FileOptions> = {
  path: option(path(), 'a file in the format of /etc/group, whose members are Dovecot user names: whole addresses, or accounts'),
};
