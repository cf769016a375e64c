/** What the two halves of the groups benchmark have in common: who is asked for, and by whom. */
export const USER = 'bench';
export const GROUPS_PROGRAM = 'groups';
export const ID_PROGRAM = 'id -Gnz';
export const USERID = 'userid addon';
export const READ = 'read and split the files';
export const COLD = 'acl-groups, cold';
export const WARM = 'acl-groups, warm';
