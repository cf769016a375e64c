import manifest from '../../../package.json' with { type: 'json' };
import { RELOAD } from '../blocks.js';
import type { Check } from '../check.js';
import { error, ok, type PlacedFinding, warning } from '../finding.js';

/** Whether the running service is this program with this configuration. */
export const serviceSame: Check = {
  name: 'service-same',
  section: 'service',
  async look(subject) {
    const probe = await subject.probe();
    if (probe === undefined || probe.monitor instanceof Error) return [];
    const { version, configuration } = probe.monitor;
    const findings: PlacedFinding[] = [];
    if (version !== manifest.version) {
      findings.push(
        warning(probe.socket, `the service is acl-groups ${version}, and this command ${manifest.version}`, {
          what: 'run: systemctl restart dovecot',
        }),
      );
    }
    const { configFile: file } = subject;
    if (configuration === '') {
      findings.push(
        error(
          probe.socket,
          "the service has a configuration that it can't use, and denies every login",
          { what: 'correct what stands under "configuration"' },
          RELOAD,
        ),
      );
    } else if (configuration !== undefined && configuration !== file) {
      findings.push(
        warning(probe.socket, `the service reads ${configuration}, and this command ${file}`, {
          what: `look at that one: acl-groups check -c ${configuration}`,
        }),
      );
    }
    return findings.length > 0 ? findings : [ok(probe.socket, `acl-groups ${manifest.version} with ${file}, as this command`)];
  },
};
