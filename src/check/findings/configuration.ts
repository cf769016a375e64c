import { existsSync, statSync } from 'node:fs';
import { explain } from '../../support/errors.js';
import { UntrustedFileError, whyReplaceable } from '../../support/trusted-file.js';
import { type Check, error, ok, warning } from '../finding.js';

/** Whether the configuration can be used by the service's user, and by whom it could be changed. */
export const configuration: Check = {
  name: 'configuration',
  section: 'configuration',
  asService: true,
  async look(subject) {
    const { configFile: file } = subject;
    const config = await subject.loadConfig();
    if (config instanceof Error) {
      const fix = fixFor(config.cause, file);
      return [error(file, withoutPlace(explain(config), file), { what: fix })];
    }
    const providers = `providers: ${config.providers.join(', ')}`;
    if (!existsSync(file)) return [ok(file, `not there, so the defaults apply; ${providers}`)];
    const mode = (statSync(file).mode & 0o777).toString(8).padStart(3, '0');
    const loaded = ok(file, `can be used; mode ${mode}; ${providers}`);
    const replaceable = whyReplaceable(file);
    return replaceable === undefined
      ? [loaded]
      : [loaded, warning(file, `its directory ${replaceable.problem}`, { what: replaceable.fix })];
  },
};

function fixFor(cause: unknown, file: string): string {
  if (cause instanceof UntrustedFileError) return cause.fix;
  // Passwords are in files of their own.
  if (cause instanceof Error && 'code' in cause && cause.code === 'EACCES') return `run: chmod o+r ${file}`;
  return 'correct it; what is allowed: man acl-groups.toml';
}

/** Messages of the configuration start with the file, which is the place already. */
function withoutPlace(message: string, file: string): string {
  return message.startsWith(`${file}: `) ? message.slice(file.length + 2) : message;
}
