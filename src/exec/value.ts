import type { LoginAnswer } from '../login/answer.js';
import { fitValue } from '../login/fit.js';

/** The longest environment string that Linux takes, name and final NUL included (MAX_ARG_STRLEN, execve(2)). */
const LONGEST_STRING = 131_072;

/** The longest value of ACL_GROUPS, in bytes. */
export const LONGEST_VALUE: number = LONGEST_STRING - 'ACL_GROUPS='.length - 1;

/**
 * The answer's value if it fits into the environment; by `onError` as many whole names as fit, or `undefined`: what is cut off is a failure.
 * `error` is told of either.
 */
export function fitVariable(answer: LoginAnswer, onError: 'deny' | 'continue', error: (message: string) => void): string | undefined {
  const bytes = Buffer.byteLength(answer.value);
  if (bytes <= LONGEST_VALUE) return answer.value;
  const what = `ACL_GROUPS would have ${bytes} bytes, and a variable can have ${LONGEST_VALUE}`;
  const fix = 'the service has no such limit, and [groups] include leaves groups out';
  if (onError === 'deny') {
    error(`${what}; login denied (on_error = "deny"); ${fix}`);
    return undefined;
  }
  const { value, kept } = fitValue(answer, LONGEST_VALUE);
  error(`${what}; going on with ${kept} of ${answer.groups.length} groups (on_error = "continue"); ${fix}`);
  return value;
}
