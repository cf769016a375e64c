/** The userdb field that holds the groups, and the variable that script-login makes of it. */
export const ACL_GROUPS_FIELD = 'acl_groups';
export const ACL_GROUPS_VARIABLE = 'ACL_GROUPS';

/** The userdb field that names the UNIX account of a login (userdb passwd sets it). */
export const SYSTEM_GROUPS_USER_FIELD = 'system_groups_user';
