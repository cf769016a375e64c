import type { OptionTable } from '../config/options.js';
import type { Logger } from '../support/log.js';

/** Who is logging in, as Dovecot tells it. */
export interface LoginUser {
  /** Dovecot's user name, which may be an address. */
  readonly name: string;
  /** The UNIX account to look up: SYSTEM_GROUPS_USER if the userdb gave one, else the name by `user_format`. */
  readonly account: string;
  /** The address the client connected to. */
  readonly localIp?: string | undefined;
  /** The client's address. */
  readonly remoteIp?: string | undefined;
  /** The userdb fields, keys in lower case. May hold secrets: never to be logged. */
  readonly fields: ReadonlyMap<string, string>;
}

/** A group that the user is in. */
export interface Group {
  /** The name, byte for byte as the source has it; for a group that can't be named, what there is to tell it by. */
  readonly name: string;
  /** The UNIX group id. */
  readonly gid?: number | undefined;
  /** The distinguished name. */
  readonly dn?: string | undefined;
  /** Why the group can't be granted (a group id without a name, say). It is then skipped, with a warning. */
  readonly skip?: string | undefined;
  /** With `skip`: not worth a warning, as the provider's own configuration asks for it (a least group id, say), or the provider warned itself. */
  readonly wanted?: boolean | undefined;
  /**
   * With `skip`: the user should have this group, or groups that this entry stands for, and the source couldn't be read to grant it.
   * The answer is incomplete then, which `on_incomplete` decides about.
   */
  readonly incomplete?: boolean | undefined;
  /** What the administrator should know about a group that is granted, as a warning's end: "two entries have this name: …". */
  readonly warning?: string | undefined;
}

/** One line of `acl-groups check`. */
export interface Finding {
  readonly level: 'ok' | 'warning' | 'error';
  readonly message: string;
  /** What the administrator can do about it. */
  readonly fix?: string | undefined;
}

/**
 * A source of groups, ready to be asked.
 *
 * The service keeps each third-party provider in a worker thread of its own, exec mode and `lookup` don't. So the state of a module is that
 * of one thread: a reload, and the end of a thread, load it anew. A thread that doesn't answer in time, ends, or keeps more than 256 MiB is
 * replaced, and what was asked of it may be asked again. Exec mode ends its process once a provider has blocked it for longer than
 * `timeout`. Users and answers are copied on their way (structured clone): of a group or finding only the keys below arrive, of an error
 * its message and those of its causes. Printed text goes to the log as warnings.
 */
export interface GroupProvider {
  /**
   * The user's groups in the source's own order; an empty list for a known user without groups; `undefined` for a user that the
   * source doesn't know. Stops working when `signal` aborts. With more than ten listeners on it at a time, Node.js takes them for a
   * leak and says so in the log, unless events.setMaxListeners() tells it otherwise.
   * @throws any error, when the source can't answer for sure: an incomplete list is never an answer. `null` in the place of `undefined`, and
   * holes in a list, are taken for an error, and so are more than 100,000 groups
   */
  groups(user: LoginUser, signal: AbortSignal): Promise<readonly Group[] | undefined>;
  /**
   * What the answer depends on beside the user's name and account: an IP address, a userdb field. The service keeps answers by name, account
   * and this text; without the method, by name and account alone. Exec mode's --cache-dir keeps none of a provider that has it. Called for
   * each login, within the time for its answer, so it has to be quick.
   */
  cacheKey?(user: LoginUser): string | Promise<string>;
  /** Looks at what the provider depends on, for `acl-groups check`. */
  check?(signal: AbortSignal): Promise<readonly Finding[]>;
  /**
   * Names of groups that the source has, for `acl-groups check --acl`: of those `asked` for, all that it has, and others as far as it can
   * list them. Without the method, or where it throws, groups of ACL files can't be looked for.
   */
  groupNames?(asked: readonly string[], signal: AbortSignal): Promise<readonly string[]>;
  /** Lets go of connections, threads and files, within 300 ms in the service. Never called while a lookup runs. */
  close?(): Promise<void>;
}

/** What a provider gets from the program beside its options. */
export interface ProviderContext {
  /** `debug` is what `lookup -v` shows: searches made, files read. */
  readonly log: Logger;
  /** The directory of the configuration file, which relative paths start from. */
  readonly directory: string;
  /** Whether this process stays to answer more logins, so that what is slow to start pays off. Default false. */
  readonly resident?: boolean | undefined;
}

/** A provider as a module exports it, by default export. `Options` is what its table in the configuration validates to. */
export interface ProviderDefinition<Options extends object = object> {
  /** What `providers = […]` and `[provider.NAME]` call it. */
  readonly name: string;
  /** One line for `acl-groups providers`. */
  readonly description: string;
  /** Every key of `[provider.NAME]`. Validated where the provider runs; a date of the file is a `Date` in the service. */
  readonly options: OptionTable<Options>;
  /**
   * Makes a provider of validated options. Connects to nothing yet.
   * @throws ConfigError for options that contradict each other
   */
  create(options: Options, context: ProviderContext): GroupProvider;
}

/** Gives a provider definition its types; the definition itself is returned unchanged. */
export function defineProvider<Options extends object>(definition: ProviderDefinition<Options>): ProviderDefinition<Options> {
  return definition;
}
