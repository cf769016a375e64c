/** Exit statuses, with the meanings of sysexits.h (BSD, glibc). */
export const EXIT = {
  ok: 0,
  /** EX_USAGE: the command line, or the environment that stands for it, is wrong. */
  usage: 64,
  /** EX_NOUSER: `lookup` was asked for a user that no provider knows. */
  noUser: 67,
  /** EX_UNAVAILABLE: a program or service that is needed can't be reached. */
  unavailable: 69,
  /** EX_TEMPFAIL: a provider failed; the same login may work later. */
  temporary: 75,
  /** EX_CONFIG: the configuration can't be used. */
  config: 78,
} as const;

/** What each exit status says, for manual pages. */
export const EXIT_MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: 'success',
  usage: 'the command line is wrong, or a variable that script-login always sets is missing',
  noUser: '`lookup`: no provider knows the user',
  unavailable: 'a needed program or service is unreachable',
  temporary: 'a provider failed; the same login may work later',
  config: 'the configuration cannot be used, or `check` found errors',
};

/** An error whose message is meant for the administrator, with the status that the process ends with. */
export class AclGroupsError extends Error {
  override name = 'AclGroupsError';
  readonly exitStatus: number;

  constructor(message: string, exitStatus: number, options?: ErrorOptions) {
    super(message, options);
    this.exitStatus = exitStatus;
  }
}

/** The command line is wrong, or a variable that script-login always sets is missing. */
export class UsageError extends AclGroupsError {
  override name = 'UsageError';

  constructor(message: string, options?: ErrorOptions) {
    super(message, EXIT.usage, options);
  }
}

/** The configuration can't be used: names the file, the key, what was found and what is allowed. */
export class ConfigError extends AclGroupsError {
  override name = 'ConfigError';

  constructor(message: string, options?: ErrorOptions) {
    super(message, EXIT.config, options);
  }
}

/** A provider could not answer. Never thrown for "unknown user" or for "no groups". */
export class ProviderError extends AclGroupsError {
  override name = 'ProviderError';
  /** The provider's name in the registry. */
  readonly provider: string;
  /** Whether a deadline ended it. */
  readonly timedOut: boolean;

  constructor(provider: string, message: string, options: ErrorOptions & { timedOut?: boolean } = {}) {
    super(`${provider}: ${message}`, EXIT.temporary, options);
    this.provider = provider;
    this.timedOut = options.timedOut ?? false;
  }
}

/** An error's message with the messages of its causes, on one line. Those of usage and configuration errors are whole without. */
export function explain(error: unknown): string {
  const parts: string[] = [];
  let current = error;
  // Bounded, because a chain of causes may bite its own tail.
  for (let depth = 0; current !== undefined && depth < 5; depth++) {
    const message = messageOf(current);
    // Libraries often repeat the cause's message in their own.
    if (!parts.some((part) => part.includes(message))) parts.push(message);
    current = causeOf(current);
  }
  return parts.join(': ');
}

/** Characters of one message that are shown: a third-party provider's may hold all that it has read, and it goes to the log and to Dovecot. */
const LONGEST_MESSAGE = 1000;

/** Anything may be thrown, and not everything has a text: `Object.create(null)` and an error whose getter throws do so when they are asked. */
function messageOf(thrown: unknown): string {
  let text: string;
  try {
    text = String(thrown instanceof Error ? thrown.message || thrown.name : thrown);
  } catch {
    return 'something without a text was thrown';
  }
  const whole = text.length <= LONGEST_MESSAGE || isWhole(thrown);
  return whole ? text : `${text.slice(0, LONGEST_MESSAGE)}… (${text.length} characters)`;
}

function causeOf(thrown: unknown): unknown {
  try {
    return thrown instanceof Error && !isWhole(thrown) ? thrown.cause : undefined;
  } catch {
    return undefined;
  }
}

/** Whether we wrote it ourselves, with all that there is to say. */
function isWhole(thrown: unknown): boolean {
  return thrown instanceof UsageError || thrown instanceof ConfigError;
}
