/** What groups are reported under that no provider gives: those of the userdb, and those of `[groups] add`. No provider is called so. */
export const USERDB_SOURCE = 'userdb';
export const CONFIG_SOURCE = 'config';
