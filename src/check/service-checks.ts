import type { ServiceCheck } from './finding.js';
import { configuration } from './findings/configuration.js';
import { providers } from './findings/providers.js';

/** What is looked at with the rights of the service's user. */
export const SERVICE_CHECKS: readonly ServiceCheck[] = [configuration, providers];
