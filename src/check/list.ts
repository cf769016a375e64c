import type { Check } from './check.js';
import type { ServiceCheck } from './finding.js';
import { aclDriver } from './findings/acl-driver.js';
import { aclFiles } from './findings/acl-files.js';
import { aclPlugin } from './findings/acl-plugin.js';
import { addon } from './findings/addon.js';
import { addressSpace } from './findings/address-space.js';
import { authCache } from './findings/auth-cache.js';
import { confinement } from './findings/confinement.js';
import { door } from './findings/door.js';
import { dovecot } from './findings/dovecot.js';
import { dovecotValue } from './findings/dovecot-value.js';
import { launcher } from './findings/launcher.js';
import { listener } from './findings/listener.js';
import { node } from './findings/node.js';
import { ownGroups } from './findings/own-groups.js';
import { postLogin } from './findings/post-login.js';
import { privileges } from './findings/privileges.js';
import { rights } from './findings/rights.js';
import { scriptLogin } from './findings/script-login.js';
import { serviceAnswers } from './findings/service-answers.js';
import { serviceProgram } from './findings/service-program.js';
import { serviceSame } from './findings/service-same.js';
import { spellings } from './findings/spellings.js';
import { units } from './findings/units.js';
import { userdbFailure } from './findings/userdb-failure.js';
import { userdbField } from './findings/userdb-field.js';
import { userdbFile } from './findings/userdb-file.js';
import { userdbFilter } from './findings/userdb-filter.js';
import { userdbIterate } from './findings/userdb-iterate.js';
import { userdbModule } from './findings/userdb-module.js';
import { userdbOrder } from './findings/userdb-order.js';
import { userdbRoom } from './findings/userdb-room.js';
import { userdbSkip } from './findings/userdb-skip.js';
import { userdbSocket } from './findings/userdb-socket.js';
import { valueSize } from './findings/value-size.js';
import { SERVICE_CHECKS } from './service-checks.js';

/** Everything that is looked at, in the order in which people read it. To add to it: a module in findings/, and a line here (or in service-checks.ts). */
export const CHECKS: readonly (Check | ServiceCheck)[] = [
  rights,
  ...SERVICE_CHECKS,
  dovecot,
  aclPlugin,
  aclDriver,
  door,
  userdbModule,
  userdbFile,
  userdbSocket,
  userdbFilter,
  userdbField,
  userdbSkip,
  userdbFailure,
  userdbIterate,
  userdbOrder,
  spellings,
  postLogin,
  scriptLogin,
  serviceProgram,
  privileges,
  listener,
  addressSpace,
  ownGroups,
  authCache,
  serviceAnswers,
  serviceSame,
  valueSize,
  userdbRoom,
  dovecotValue,
  aclFiles,
  node,
  addon,
  launcher,
  units,
  confinement,
];
