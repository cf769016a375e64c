/** A process with the service's rights, which `acl-groups check` starts: a task as JSON on stdin, what was seen as JSON on stdout. */
import { readFileSync } from 'node:fs';
import { lookHere, type ServiceTask } from './as-service.js';
import { SERVICE_CHECKS } from './service-checks.js';

const task = JSON.parse(readFileSync(0, 'utf8')) as ServiceTask;
void lookHere(task, SERVICE_CHECKS).then((view) => {
  process.stdout.write(JSON.stringify(view));
});
