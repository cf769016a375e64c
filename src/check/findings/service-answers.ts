import type { DoorAnswer } from '../../service/door-answer.js';
import type { Check } from '../check.js';
import { error, ok, type PlacedFinding, type Step, warning } from '../finding.js';
import { type Probe, withoutPlace } from '../probe.js';
import type { Subject } from '../subject.js';

/** How long an answer may take before it is worth a word: milliseconds. */
const SLOW = 1000;

/** Whether the service is there, and answers by both of its protocols. */
export const serviceAnswers: Check = {
  name: 'service-answers',
  section: 'service',
  async look(subject) {
    const { facts } = subject;
    const probe = await subject.probe();
    if (probe === undefined) {
      // Where Dovecot asks nobody, that is said already, and exec mode has no service.
      if (facts !== undefined) return [];
      return [warning('service', 'no socket is known to ask it by', { what: 'name it: acl-groups check -s PATH' })];
    }
    if (probe.userdb instanceof Error && probe.postLogin instanceof Error) {
      return [error(probe.socket, withoutPlace(probe.userdb, probe), ...silent(subject, probe))];
    }
    return [answered('userdb', probe.userdb, probe), answered('post-login', probe.postLogin, probe)];
  },
};

/** What to do about a service that nobody hears of. */
function silent({ dovecot }: Subject, { socket }: Probe): readonly Step[] {
  const log = 'what its log says of the service: doveadm log errors';
  if (!('facts' in dovecot) || !dovecot.facts.own?.listeners.some(({ path }) => path === socket)) {
    return [{ what: `see whether Dovecot runs, and ${log}` }];
  }
  if (!dovecot.runs) return [{ what: 'run: systemctl start dovecot' }, { what: `if that changes nothing, see ${log}` }];
  // The most frequent reason comes first: Dovecot has not read what was just pasted, or could not, which a reload doesn't say.
  const restart = 'restart Dovecot, which knows no settings of a module that was installed while it ran';
  return [{ what: 'run: doveadm reload' }, { what: `if that changes nothing, ${restart}, or see why it refuses them: doveadm log errors` }];
}

function answered(door: string, answer: DoorAnswer | Error, probe: Probe): PlacedFinding {
  const { socket, user } = probe;
  if (answer instanceof Error) return error(socket, `${door}: ${withoutPlace(answer, probe)}`);
  const time = `${answer.elapsed.toFixed(1)} ms`;
  if (answer.outcome === 'denied') {
    return error(socket, `${door}: ${user} is denied${answer.reason === '' ? '' : `: ${answer.reason}`}`, {
      what: `see what each provider says: acl-groups lookup -v ${user}`,
    });
  }
  const told = answer.outcome === 'granted' ? `acl_groups=${answer.value}` : 'no provider knows this user';
  if (answer.elapsed > SLOW)
    return warning(socket, `${door}: ${user}: an answer took ${time}`, {
      what: `see which provider takes that long: acl-groups lookup -v ${user}`,
    });
  return ok(socket, `${door}: ${user}: ${told} (${time})`);
}
