import { paste } from '../blocks.js';
import type { Check } from '../check.js';
import { error, ok } from '../finding.js';
import { run } from '../programs.js';

const CVE = 'CVE-2025-30189';

/** Dovecot 2.4.0 and 2.4.1 give users the cached answers of others, where userdb passwd and the auth cache meet. */
export const authCache: Check = {
  name: 'auth-cache',
  section: 'dovecot',
  async look({ facts }) {
    if (facts === undefined || facts.authCacheSize === 0) return [];
    const affected = /^2\.4\.[01](?!\d)/.test(facts.release) && facts.userdbs.some(({ driver }) => driver === 'passwd');
    if (!affected)
      return [
        ok(
          'auth_cache_size',
          'the auth cache is on: logins that it knows ask nobody; to have a change at once: doveadm auth cache flush USER',
        ),
      ];
    if (await patched())
      return [ok('auth_cache_size', `the auth cache is on; this package of Dovecot ${facts.release} has the fix of ${CVE}`)];
    const problem = `with userdb passwd, Dovecot ${facts.release} gives users what it has cached for others (${CVE}); 2.4.2 fixes it`;
    return [error('auth_cache_size', problem, paste(facts, ['auth_cache_size = 0']))];
  },
};

/** Whether Debian's package has the fix, as its changelog says: the version that Dovecot tells stays the same. */
async function patched(): Promise<boolean> {
  const { status, stdout } = await run('gzip', ['-dc', '/usr/share/doc/dovecot-core/changelog.Debian.gz']);
  return status === 0 && stdout.includes(CVE);
}
