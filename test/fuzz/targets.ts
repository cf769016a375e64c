import type { Target } from './target.js';
import { file, group, nsswitch, passwd } from './targets/accounts.js';
import { configuration } from './targets/configuration.js';
import { filterTemplate } from './targets/filter.js';
import { entry, plan } from './targets/launcher.js';
import { postLogin } from './targets/post-login.js';
import { userdb } from './targets/userdb.js';
import { givenValue, names } from './targets/value.js';

/** All that reads what comes from outside. */
export const TARGETS: readonly Target[] = [
  postLogin,
  userdb,
  givenValue,
  names,
  group,
  passwd,
  file,
  nsswitch,
  configuration,
  filterTemplate,
  plan,
  entry,
];
