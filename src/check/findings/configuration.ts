import { existsSync, statSync } from 'node:fs';
import { explain } from '../../support/errors.js';
import { UntrustedFileError, whyReplaceable } from '../../support/trusted-file.js';
import { error, ok, type ServiceCheck, warning } from '../finding.js';

/** Whether the configuration can be used by the service's user, and by whom it could be changed. */
export const configuration: ServiceCheck = {
  name: 'configuration',
  section: 'configuration',
  asService: true,
  async look({ configFile: file, config }) {
    if (config instanceof Error) {
      const fix = fixFor(config.cause, file);
      const { cause } = config;
      const problem = cause instanceof UntrustedFileError ? cause.problem : withoutPlace(explain(config), file);
      return [error(file, problem, { what: fix })];
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
